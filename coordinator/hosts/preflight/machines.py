"""Where the probe runs: on a host over SSH, or on this machine; as root where that works."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from coordinator.hosts.deploy.errors import CommandFailed, DeployError, LoginRefused, SessionRefused
from coordinator.hosts.deploy.onhost.words import last_words
from coordinator.hosts.deploy.privileged import Privileged, answer, unpacked
from coordinator.hosts.deploy.program import COMMAND, source
from coordinator.hosts.preflight import probe
from coordinator.hosts.preflight.checks import Clock
from inventory.network import Host

if TYPE_CHECKING:
    from coordinator.hosts.deploy.connection import HostConnection

MODULES = (
    "coordinator.hosts.deploy.onhost.words",
    "coordinator.hosts.deploy.onhost.pythons",
    "coordinator.hosts.preflight.nodeos",
    "coordinator.hosts.preflight.places",
    "coordinator.hosts.preflight.probe",
)
OWN = (sys.executable, *COMMAND[1:])
"""On this machine: `python3` may be a script of a version manager, which takes longer than the whole look."""
SECONDS = 180.0
"""Time limit for one run of the probe, in which each trial of nodeos gets 20 s to start and each dial 5 s."""
CLOCK_LOOKS = 3
CLOCK_SECONDS = 20.0
"""Time limit for the first command on a host, whose login shell may wait for input."""


class Here:
    """This machine."""

    sudo = ""

    def run(self, request: dict[str, Any]) -> Any:
        """The probe's answer. Raises DeployError.

        In this process, as the agent will run on the same Python, except for trials of nodeos: those end with a
        process that Ctrl-C ends.
        """
        if not (request.get("trials") and request.get("command", request.get("nodeos"))):
            return unpacked(probe.carried_out(request))
        try:
            done = subprocess.run(OWN, input=source(MODULES, request), capture_output=True, timeout=SECONDS)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise CommandFailed(f"{sys.executable} does not run here: {error}") from error
        return answer(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def listening(self, request: dict[str, Any]) -> Iterator[None]:
        """Runs listeners while the block runs. Raises DeployError."""
        process = subprocess.Popen(  # noqa: S603
            OWN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            if process.stdin is None or process.stdout is None:
                raise CommandFailed("no pipes to the listener")
            process.stdin.write(source(MODULES, request))
            process.stdin.close()
            if process.stdout.readline() != b"listening\n":
                raise CommandFailed("no listener could be started here")
            yield
        finally:
            process.terminate()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def clock(self) -> Clock | None:
        """None: it is the operator's own clock."""
        return None

    def close(self) -> None:
        """Nothing to close."""


class There:
    """A host over SSH, connected."""

    def __init__(self, host: Host, connection: HostConnection, ask: Callable[[], str]) -> None:
        """Also checks whether sudo works. Raises DeployError."""
        self._connection = connection
        self._root = Privileged(connection, ask)
        self.sudo = ""
        try:
            self._root.sudo()
        except LoginRefused as error:
            self.sudo = str(error)

    def run(self, request: dict[str, Any]) -> Any:
        """The probe's answer. Raises DeployError."""
        try:
            if not self.sudo:
                return self._root.run_program(MODULES, request, SECONDS)
            return self._as_user(self._connection, request)
        except SessionRefused:  # its listeners use the only session that MaxSessions allows; dialling needs no root
            with type(self._connection)(self._connection.ssh) as another:
                return self._as_user(another, request)

    def _as_user(self, connection: HostConnection, request: dict[str, Any]) -> Any:
        done = connection.command(COMMAND, source(MODULES, request), seconds=SECONDS)
        return answer(done.status, done.stdout, done.stderr)

    @contextlib.contextmanager
    def listening(self, request: dict[str, Any]) -> Iterator[None]:
        """Runs listeners, as the SSH user, while the block runs. Raises DeployError."""
        output = self._connection.stream(COMMAND, source(MODULES, request))
        try:
            said = next(output, b"")
            if not said.startswith(b"listening"):
                raise CommandFailed(f"no listener could be started: {last_words(said + b''.join(output))}")
            yield
        finally:
            output.close()  # type: ignore[attr-defined]  # it is a generator: closing it closes the channel

    def clock(self) -> Clock | None:
        """The most precise of a few measurements."""
        looks = []
        for _ in range(CLOCK_LOOKS):
            before = time.time()
            done = self._connection.command(("date", "+%s.%N"), seconds=CLOCK_SECONDS)
            after = time.time()
            with contextlib.suppress(ValueError):  # a date without %N
                looks.append(Clock(float(done.stdout) - (before + after) / 2, (after - before) / 2))
        return min(looks, key=lambda look: look.uncertainty, default=None)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def reach(host: Host, ask: Callable[[str], str]) -> Here | There:
    """The machine, connected. Raises DeployError."""
    if host.ssh is None:
        return Here()
    from coordinator.hosts.deploy.connection import HostConnection  # paramiko takes 0.1 s to import

    connection = HostConnection(host.ssh)
    connection.open()
    try:
        return There(host, connection, lambda: ask(host.name))
    except DeployError:
        connection.close()
        raise
