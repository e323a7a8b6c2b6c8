"""Requests to a host (coordinator/hosts/deploy/onhost), carried out as root: directly, or through sudo."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coordinator.hosts.deploy.errors import PYTHON_HINT, CommandFailed, DeployError, LoginRefused, PythonMissing
from coordinator.hosts.deploy.onhost.words import ended, last_words
from coordinator.hosts.deploy.program import COMMAND, source
from inventory.network import Sudo
from support.texts import plain

if TYPE_CHECKING:
    from coordinator.hosts.deploy.connection import Completed, HostConnection

SECONDS = 300.0
"""Time limit for one request. The longest unpacks 100 MB on a slow disk."""
SUDO_SECONDS = 20.0
ERROR_LIMIT = 2000
"""Characters."""
MODULES = tuple(
    f"coordinator.hosts.deploy.onhost.{name}"
    for name in ("words", "base", "accounts", "archives", "folders", "guard", "pythons", "units", "verbs")
)

INBUNDLE = (Path(__file__).parent / "onhost" / "inbundle.py").read_text(encoding="utf-8")

ON_TERMINAL = ("python3", "-I", "-B", "-c", (Path(__file__).parent / "onhost" / "terminal.py").read_text("utf-8"))
_WANTS_TERMINAL = re.compile(rb"you must have a tty to run sudo")
_BROKEN_PYTHON = re.compile(
    rb"^(ModuleNotFoundError|ImportError|Fatal Python error|\S*python3: error while loading)", re.M
)
_WANTS_PASSWORD = re.compile(r"password is required|authentication is required|askpass|a terminal is required")
_WRONG_PASSWORD = re.compile(r"incorrect password|[Tt]ry again|no password was provided|Authentication failed")

# A harmless command of the same form as a request, so that the same sudo rules apply.
_NOTHING = (*COMMAND[:-1], "-c", "pass")


class Privileged:
    """Root on a connected host."""

    def __init__(self, connection: HostConnection, ask: Callable[[], str]) -> None:
        """ask: returns sudo's password; called at most once, and only if sudo wants one."""
        self._connection = connection
        self._ask = ask
        self._sudo: tuple[Sequence[str], bytes] | None = None

    def request(self, verb: str, **values: object) -> Any:
        """The answer to a request. Raises DeployError with the host's own message."""
        return self.run_program(MODULES, {"verb": verb, "inbundle": INBUNDLE, **values})

    def run_program(self, modules: Sequence[str], request: object, seconds: float = SECONDS) -> Any:
        """Runs one of our programs, which prints {"done": …} or {"error": …}. Raises DeployError."""
        sudo, password = self.sudo()
        done = self._connection.command([*sudo, *COMMAND], password + source(modules, request), seconds=seconds)
        return answer(done.status, done.stdout, done.stderr)

    def sudo(self) -> tuple[Sequence[str], bytes]:
        """What to put before a command, and before its standard input, to run it as root. Raises LoginRefused."""
        if self._sudo is None:
            self._sudo = self._find_sudo()
        return self._sudo

    def _find_sudo(self) -> tuple[Sequence[str], bytes]:
        ssh = self._connection.ssh
        if ssh.sudo is Sudo.NONE:
            return (), b""
        silent = ("sudo", "-n", "-k", "--")
        # sudo reads a password from standard input only if it wants one; otherwise the command would read it.
        tried, terminal = self._try(silent, b"", ())
        if tried.status == 0:
            return (*terminal, *silent), b""
        _require_python(tried.stderr)
        said = last_words(tried.stderr) or ended(tried.status)
        if ssh.sudo is Sudo.PASSWORDLESS:
            raise LoginRefused(
                f'sudo of {ssh.user} does not work without a password ({said}): write sudo = "{Sudo.PASSWORD}", or '
                f"let sudoers say NOPASSWD"
            )
        if not _WANTS_PASSWORD.search(said):
            raise self._useless(said)
        asking = ("sudo", "-S", "-k", "-p", "", "--")
        password = self._ask().encode() + b"\n"
        tried, terminal = self._try(asking, password, terminal)
        if tried.status:
            _require_python(tried.stderr)
            said = last_words(tried.stderr) or ended(tried.status)
            if not _WRONG_PASSWORD.search(said):
                raise self._useless(said)
            raise LoginRefused(f"sudo of {ssh.user} rejected the password ({said})")
        return (*terminal, *asking), password

    def _useless(self, said: str) -> LoginRefused:
        user = self._connection.ssh.user
        return LoginRefused(f"sudo of {user} does not work ({said}): correct the host's sudoers, or name another user")

    def _try(self, sudo: Sequence[str], stdin: bytes, terminal: Sequence[str]) -> tuple[Completed, Sequence[str]]:
        """Tries sudo with a harmless command. Returns the result, and what must precede sudo for `requiretty`."""
        tried = self._connection.command([*terminal, *sudo, *_NOTHING], stdin, seconds=SUDO_SECONDS)
        if terminal or not _WANTS_TERMINAL.search(tried.stderr):
            return tried, terminal
        return self._try(sudo, stdin, ON_TERMINAL)


def answer(status: int, stdout: bytes, stderr: bytes) -> Any:
    """What one of our programs answered, on its own line. Raises DeployError, PythonMissing, CommandFailed."""
    said = next(filter(None, map(_answer, reversed(stdout.splitlines()))), None)
    if said is None:
        _require_python(stderr)
        raise CommandFailed(f"python3 on the host: {last_words(stderr) or last_words(stdout) or ended(status)}")
    return unpacked(said)


def unpacked(said: Mapping[str, Any]) -> Any:
    """What was done. Raises DeployError with what the program could not do."""
    if "error" in said:
        raise DeployError(plain(str(said["error"]), ERROR_LIMIT))
    return said["done"]


def _answer(line: bytes) -> dict[str, Any] | None:
    """The answer on this line, if it is one. sudo's modules may print other lines."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and said.keys() & {"error", "done"} else None


def _require_python(stderr: bytes) -> None:
    """Raises PythonMissing if the output shows that no python3 was found or that it does not start."""
    if re.search(rb"python3: (command )?not found", stderr):
        raise PythonMissing(f"there is no python3 on it: {PYTHON_HINT}")
    if _BROKEN_PYTHON.search(stderr):
        raise PythonMissing(f"its python3 does not work ({last_words(stderr)}): {PYTHON_HINT}")
