"""A command's own output, apart from what the login shell prints around it.

sshd hands every command to the user's login shell, whose start-up files may print (`echo hello` in .bashrc), complain
(a locale that is not installed) or change the umask. So a command runs below a plain sh that first prints a mark on
both outputs: what comes before it is the shell's, what comes after it the command's. All speak the C locale, so that
what they say can be understood.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

BOTH = 'umask 022; LC_ALL=C; export LC_ALL; printf %s "$1"; printf %s "$1" >&2; shift; exec "$@"'
ONE = 'umask 022; LC_ALL=C; export LC_ALL; exec 2>&1; printf %s "$1"; shift; exec "$@"'
"""The command's errors come among its output."""


@dataclass(frozen=True)
class Framed:
    """A command as it is sent, and the mark that comes before its output."""

    line: str
    mark: bytes

    def own(self, output: bytes) -> bytes | None:
        """What the command itself printed; None: the login shell never got to it."""
        _before, mark, after = output.partition(self.mark)
        return after if mark else None


def framed(arguments: Sequence[str], script: str = BOTH) -> Framed:
    """The command, quoted word by word; the mark is one that no start-up file can know."""
    mark = f"<{secrets.token_hex(8)}>"
    return Framed(shlex.join(["sh", "-c", script, "sh", mark, *arguments]), mark.encode())
