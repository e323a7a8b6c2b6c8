"""Processes that outlive the program that started them: started detached, recorded, found again, and never confused
with other processes.

A pid alone is not enough, because pids are reused. A pid with its start time and the machine's boot id identifies one
process forever. Uses only the standard library, so that nodes can be stopped even if nothing else works.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from support.errors import SupportError
from support.files import write_atomic

PIDS = 1 << 22
"""No process has such a number (proc(5), /proc/sys/kernel/pid_max)."""

GRACE = 60.0
"""Seconds that a process gets to end after SIGTERM, before it is reported as still running."""


LOOK_AGAIN = 0.25
"""Seconds between two searches for processes to stop."""


class StillRunningError(SupportError):
    """A process did not end after SIGTERM; it was not killed."""


@dataclass(frozen=True)
class Process:
    """One process of this machine, never another with the same pid."""

    pid: int
    started: int
    """Clock ticks between the machine's boot and the process's start (proc(5), stat, field 22)."""
    boot: str
    """The kernel's random id of this boot."""

    @staticmethod
    def of(pid: int) -> Process:
        """The process that has this pid now. Raises ProcessLookupError."""
        return Process(pid, _stat(pid).started, _boot_id())

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not. A child does until all of its threads have ended: the first of them
        may be a zombie before the others, and how the process ended is not known then.
        """
        unfinished = _reap(self.pid)
        try:
            now = _stat(self.pid)
        except ProcessLookupError:
            return False
        return now.started == self.started and self.boot == _boot_id() and (unfinished or now.state not in "ZX")

    @property
    def name(self) -> str:
        """The kernel's name of its program; empty if it is gone."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    @property
    def folder(self) -> str:
        """Its working directory; empty when the process is gone or belongs to another user."""
        try:
            return os.readlink(f"/proc/{self.pid}/cwd")
        except OSError:
            return ""

    @property
    def command_line(self) -> bytes:
        """Its arguments, each ended by a NUL; empty when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return b""

    def in_session_of(self, leader: Process) -> bool:
        """Whether it belongs to the session that leader began. False if it has ended, because its pid may be in another
        session by now.
        """
        try:
            session = _stat(self.pid).session
        except ProcessLookupError:
            return False
        return session == leader.pid and leader.alive

    @property
    def ended(self) -> int | None:
        """How it ended, if this process started it: its exit status, or the negative number of the signal."""
        return None if self.alive else _ended.get(self.pid)

    def signal(self, number: int) -> bool:
        """Sends a signal to exactly this process. Returns False if it is gone. Raises PermissionError."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:  # The handle is for whichever process has the pid now: look again whether that is the one meant.
            if not self.alive:
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def wait(self, seconds: float) -> bool:
        """Blocks until it ends, for at most `seconds`. Returns whether it has ended."""
        deadline = time.monotonic() + seconds
        while self.alive:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            try:
                handle = os.pidfd_open(self.pid)
            except ProcessLookupError:
                return True
            try:  # The handle is readable when the process ends. The timeout covers a pid that was reused in between.
                select.select([handle], [], [], min(left, 1.0))
            finally:
                os.close(handle)
        return True

    def write(self, path: Path) -> None:
        """Writes it to a file. The file need not survive a crash of the machine, because the process does not."""
        record = {"pid": self.pid, "started": self.started, "boot": self.boot}
        write_atomic(path, json.dumps(record).encode(), 0o600, lasting=False)

    @staticmethod
    def read(path: Path) -> Process | None:
        """The recorded process; None if there is no readable record."""
        try:
            record = json.loads(path.read_bytes())
            pid, started = int(record["pid"]), int(record["started"])
            return Process(pid, started, str(record["boot"])) if 0 < pid < PIDS else None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


def start(
    command: Sequence[str], *, output: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Starts a process in its own session, so that neither a terminal nor the end of this process affects it.

    It reads nothing and appends what it prints to output, whose folder is made. folder is its working directory.
    Raises OSError when the program cannot be run.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("ab") as log, _reaping:  # a process that ends at once must not be reaped before it is known here
        child = subprocess.Popen(  # noqa: S603 (an argument list, no shell)
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(os.environ if environment is None else environment),
            start_new_session=True,
        )
        child.returncode = 0  # Popen's own accounting ends here: `alive` reaps.
        _ended.pop(child.pid, None)
        return Process.of(child.pid)


def stop(process: Process, grace: float = GRACE) -> None:
    """Sends SIGTERM to it and to the session that it leads, and waits until all of them have ended.

    Raises StillRunningError after grace seconds, PermissionError when it is another user's.
    """
    stop_all(lambda: [process, *(one for one in living() if one.in_session_of(process))], grace)


def stop_all(find_all: Callable[[], Iterable[Process]], grace: float = GRACE) -> None:
    """Sends SIGTERM to all processes found, until none is left. Processes started meanwhile are stopped, too.

    Raises StillRunningError when one is still there after grace seconds in all, PermissionError.
    """
    deadline = time.monotonic() + grace
    signalled: set[Process] = set()
    while still := [process for process in dict.fromkeys((*find_all(), *signalled)) if process.alive]:
        for process in still:
            if process not in signalled:
                process.signal(signal.SIGTERM)
                signalled.add(process)
        if not still[0].wait(min(LOOK_AGAIN, max(0.0, deadline - time.monotonic()))) and time.monotonic() > deadline:
            pids = " ".join(str(process.pid) for process in still)
            raise StillRunningError(
                f"process {still[0].pid} ({still[0].name}) still runs {grace:g} s after SIGTERM; look at its log, "
                f"and only when nothing else helps: kill -9 {pids}"
            )


def kill(process: Process) -> None:
    """Sends SIGKILL and waits until it is gone. Only on explicit demand: a killed nodeos must replay its blocks."""
    if process.signal(signal.SIGKILL):
        process.wait(GRACE)


def living() -> Iterator[Process]:
    """Every process of this machine."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                process = Process.of(int(entry.name))
            except ProcessLookupError:
                continue
            if process.alive:
                yield process


def find(*arguments: str) -> Process | None:
    """The process with these consecutive arguments on its command line that leads a session, as those of `start` do.

    This excludes helpers of nodeos, which share its command line and may outlive it for a moment.
    """
    wanted = b"\0" + b"\0".join(os.fsencode(argument) for argument in arguments) + b"\0"
    return next((one for one in living() if wanted in one.command_line and one.in_session_of(one)), None)


class _Stat(NamedTuple):
    state: str
    session: int
    started: int


def _stat(pid: int) -> _Stat:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"no process {pid}") from None
    fields = text.rpartition(")")[2].split()  # The name, in brackets, may hold blanks and brackets itself.
    return _Stat(fields[0], int(fields[3]), int(fields[19]))


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


_ended: dict[int, int] = {}
"""How children of this process ended, by pid."""


_reaping = threading.Lock()
"""When two threads wait for a process, both must learn how it ended."""


def _reap(pid: int) -> bool:
    """Whether it is a child of this process that has not ended."""
    with _reaping:
        try:
            reaped, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return False
        if reaped:
            _ended[pid] = os.waitstatus_to_exitcode(status)
        return not reaped
