"""CPU and memory of a network's processes, read from /proc while something runs."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.5
"""Seconds between two looks. The memory's peak between them is not missed, because the kernel records it (VmHWM)."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """What all processes of one kind used together."""

    cpu: float = 0.0
    """Seconds since the watching began."""
    main: float = 0.0
    """The same, of their main threads only: nodeos executes transactions on that thread."""
    peak_mib: float = 0.0
    """The largest resident memory that any one of them ever had."""


@dataclass(frozen=True)
class _Look:
    """A process at one moment."""

    kind: str
    cpu: float
    main: float
    peak_mib: float


class Watch:
    """Follows processes by kind."""

    def __init__(self, kind_of: Callable[[str], str]) -> None:
        """kind_of: the kind of a process by its command line; empty for processes to ignore."""
        self._kind_of = kind_of
        self._began: dict[int, _Look] = {}
        self._now: dict[int, _Look] = {}

    def begin(self) -> None:
        """Starts counting now: earlier use does not count."""
        self._began = self._look()

    def look(self) -> None:
        """Reads the processes as they are now."""
        self._now |= self._look()

    @property
    def usage(self) -> Mapping[str, Usage]:
        """What was used, by kind, including processes that have ended."""
        found: dict[str, Usage] = {}
        for pid, now in self._now.items():
            one, before = found.setdefault(now.kind, Usage()), self._began.get(pid, _Look("", 0.0, 0.0, 0.0))
            one.cpu += now.cpu - before.cpu
            one.main += now.main - before.main
            one.peak_mib = max(one.peak_mib, now.peak_mib)
        return found

    def _look(self) -> dict[int, _Look]:
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if kind := self._kind_of(command):
                        main = cpu_seconds(entry / "task" / entry.name)
                        found[int(entry.name)] = _Look(kind, cpu_seconds(entry), main, peak_mib(entry))
        return found


@contextlib.contextmanager
def watching(kind_of: Callable[[str], str]) -> Iterator[Watch]:
    """Watches for as long as the block takes."""
    watch, over = Watch(kind_of), threading.Event()
    watch.begin()

    def follow() -> None:
        while not over.wait(EVERY):
            watch.look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.look()
        over.set()
        thread.join()


def cpu_seconds(process: Path) -> float:
    """Seconds of CPU of a process or thread, from its folder in /proc. Raises OSError, ValueError, IndexError."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mib(process: Path) -> float:
    """The memory that a process has now, from its folder in /proc. Raises as `cpu_seconds`, and StopIteration."""
    return _memory(process, "VmRSS")


def own_mib(process: Path) -> float:
    """The memory that it shares with no other process: all but mapped files, such as libraries."""
    return _memory(process, "RssAnon")


def peak_mib(process: Path = Path("/proc/self")) -> float:
    """The most memory that the program had since it began. `ru_maxrss` may show that of the process that started it."""
    return _memory(process, "VmHWM")


def _memory(process: Path, name: str) -> float:
    lines = (process / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024
