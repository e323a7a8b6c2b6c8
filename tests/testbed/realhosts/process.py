"""Processes by pid and start time: a pid alone may have been given to somebody else since."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .settings import TestbedError


@dataclass(frozen=True)
class Process:
    """One process of one boot of this machine."""

    pid: int
    started: int  # clock ticks since boot: field 22 of /proc/PID/stat, proc(5)
    boot: str  # /proc/sys/kernel/random/boot_id

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return identify(self.pid) == self

    def signal(self, number: int) -> None:
        """Send a signal to this very process; nothing happens when it is gone."""
        with self._handle() as handle, contextlib.suppress(ProcessLookupError):
            if handle is not None:
                signal.pidfd_send_signal(handle, number)

    def wait_end(self, seconds: float) -> bool:
        """Whether it ended within this many seconds."""
        with self._handle() as handle:
            if handle is None:
                return True
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(max(0.0, seconds) * 1000))

    @contextlib.contextmanager
    def _handle(self) -> Iterator[int | None]:
        """A pidfd, which no reuse of the pid can redirect; None when the process is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            yield None
            return
        try:
            yield handle if self.alive else None
        finally:
            os.close(handle)

    def save(self, path: Path) -> None:
        """Write it down for another run of this program."""
        path.write_text(json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Process | None:
        """What `save` wrote, if it is there and the process still runs."""
        try:
            process = cls(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return process if process.alive else None


def identify(pid: int) -> Process | None:
    """The living process that has this pid now."""
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Process(pid, int(fields[19]), boot)


def tree(root: Process) -> list[Process]:
    """A process and all its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        if fields := _stat(pid):
            children.setdefault(int(fields[1]), []).append(pid)
    order = [root.pid]
    for pid in order:
        order.extend(children.get(pid, []))
    return [process for pid in order if (process := identify(pid))]


def in_namespace(path: Path) -> list[Process]:
    """Every process in the network name space bound to `path`."""
    try:
        wanted = path.stat()
    except FileNotFoundError:
        return []
    found = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            here = os.stat(f"/proc/{pid}/ns/net")
            if (here.st_dev, here.st_ino) == (wanted.st_dev, wanted.st_ino) and (process := identify(pid)):
                found.append(process)
    return found


def is_container_init(process: Process) -> bool:
    """Whether it is PID 1 of a pid name space below ours."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                numbers = line.split()[1:]
                return len(numbers) > 1 and numbers[-1] == "1"
    return False


def kill_all(find: Callable[[], list[Process]], seconds: float = 20) -> None:
    """SIGKILL what `find` finds, until it finds nothing; raises TestbedError when something will not die."""
    deadline = time.monotonic() + seconds
    while processes := find():
        for process in processes:
            process.signal(signal.SIGKILL)
        for process in processes:
            if not process.wait_end(deadline - time.monotonic()):
                raise TestbedError(f"process {process.pid} does not die within {seconds:.0f} s of SIGKILL")


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (state) on: the second may hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
