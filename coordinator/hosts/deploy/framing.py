"""Separates a command's own output from what the login shell prints.

sshd hands every command to the user's login shell, whose start-up files may print (`echo hello` in .bashrc), complain
(a locale that is not installed) or change the umask. So a command runs in a plain sh that first prints a mark on both
outputs: what comes before it is the login shell's, what comes after it the command's. Everything runs in the C locale,
so that messages can be parsed.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

BOTH = 'umask 022; LC_ALL=C; export LC_ALL; printf %s "$1"; printf %s "$1" >&2; shift; exec "$@"'
ONE = 'umask 022; LC_ALL=C; export LC_ALL; exec 2>&1; printf %s "$1"; shift; exec "$@"'
"""Sends the command's errors to its standard output."""


@dataclass(frozen=True)
class Framed:
    """A command as sent, and the mark that precedes its output."""

    line: str
    mark: bytes

    def own(self, output: bytes) -> bytes | None:
        """What the command itself printed; None if the login shell never ran it."""
        _before, mark, after = output.partition(self.mark)
        return after if mark else None


def framed(arguments: Sequence[str], script: str = BOTH) -> Framed:
    """The command, quoted word by word, with a random mark that no start-up file can know."""
    mark = f"<{secrets.token_hex(8)}>"
    return Framed(shlex.join(["sh", "-c", script, "sh", mark, *arguments]), mark.encode())
