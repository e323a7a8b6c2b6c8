"""Requests to a host (coordinator/hosts/deploy/onhost), carried out as root: by the login itself, or through sudo."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coordinator.hosts.deploy.connection import HostConnection
from coordinator.hosts.deploy.errors import CommandFailed, DeployError, LoginRefused, PythonMissing
from coordinator.hosts.deploy.program import COMMAND, source
from inventory.network import Sudo
from support.texts import plain

SECONDS = 300.0
"""Time limit for one request; the longest unpacks 100 MB on a slow disk."""
SUDO_SECONDS = 20.0
ERROR_LIMIT = 2000
"""Characters."""
MODULES = tuple(
    f"coordinator.hosts.deploy.onhost.{name}"
    for name in ("base", "accounts", "archives", "folders", "guard", "pythons", "verbs")
)

INBUNDLE = (Path(__file__).parent / "onhost" / "inbundle.py").read_text(encoding="utf-8")

# As a request is run, but harmless: sudo's rules for the one are those for the other.
_NOTHING = (*COMMAND[:-1], "-c", "pass")


class Privileged:
    """Root on a connected host."""

    def __init__(self, connection: HostConnection, ask: Callable[[], str]) -> None:
        """ask: returns the password that sudo wants, if it wants one; called at most once."""
        self._connection = connection
        self._ask = ask
        self._sudo: tuple[Sequence[str], bytes] | None = None

    def request(self, verb: str, **values: object) -> Any:
        """The answer to a request. Raises DeployError with the host's own words."""
        return self.run_program(MODULES, {"verb": verb, "inbundle": INBUNDLE, **values})

    def run_program(self, modules: Sequence[str], request: object, seconds: float = SECONDS) -> Any:
        """Runs a program of ours that prints {"done": …} or {"error": …}. Raises DeployError."""
        sudo, password = self.sudo()
        done = self._connection.command([*sudo, *COMMAND], password + source(modules, request), seconds=seconds)
        return answer(done.status, done.stdout, done.stderr)

    def sudo(self) -> tuple[Sequence[str], bytes]:
        """What goes before a command, and before its standard input. Raises LoginRefused."""
        if self._sudo is None:
            self._sudo = self._find_sudo()
        return self._sudo

    def _find_sudo(self) -> tuple[Sequence[str], bytes]:
        ssh = self._connection.ssh
        if ssh.sudo is Sudo.NONE:
            return (), b""
        silent = ("sudo", "-n", "-k", "--")
        # sudo reads a password from standard input only when it wants one: else the line would reach the command.
        tried = self._connection.command([*silent, *_NOTHING], seconds=SUDO_SECONDS)
        if tried.status == 0:
            return silent, b""
        _require_python(tried.stderr)
        if ssh.sudo is Sudo.PASSWORDLESS:
            said = last_line(tried.stderr)
            raise LoginRefused(
                f'sudo of {ssh.user} does not work without a password ({said}): write sudo = "{Sudo.PASSWORD}", or '
                f"let sudoers say NOPASSWD"
            )
        asking = ("sudo", "-S", "-k", "-p", "", "--")
        password = self._ask().encode() + b"\n"
        tried = self._connection.command([*asking, *_NOTHING], password, seconds=SUDO_SECONDS)
        if tried.status:
            _require_python(tried.stderr)
            raise LoginRefused(f"sudo of {ssh.user} did not take the password ({last_line(tried.stderr)})")
        return asking, password


def answer(status: int, stdout: bytes, stderr: bytes) -> Any:
    """What a program of ours answered. Raises DeployError, PythonMissing, CommandFailed."""
    try:
        said = json.loads(stdout)
        if not (isinstance(said, dict) and said.keys() & {"error", "done"}):
            raise ValueError(said)
    except (ValueError, RecursionError):
        _require_python(stderr)
        raise CommandFailed(f"python3 on the host: {last_line(stderr) or f'status {status}'}") from None
    if "error" in said:
        raise DeployError(plain(str(said["error"]), ERROR_LIMIT))
    return said["done"]


def _require_python(stderr: bytes) -> None:
    """That a shell or sudo found python3. Raises PythonMissing."""
    if re.search(r"python3: (command )?not found", last_line(stderr)):
        raise PythonMissing("there is no python3 on it: install Python 3.11 or newer, as in apt install python3")


def last_line(stderr: bytes) -> str:
    """What a command complained of last; printable characters only."""
    lines = stderr.decode(errors="replace").strip().splitlines() or [""]
    return plain(lines[-1])
