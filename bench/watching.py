"""CPU and memory of a network's processes, read from /proc while something runs."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.5
"""Seconds between two looks: they cost little, and the memory's peak between them is the kernel's own (VmHWM)."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """Of one kind of process, all of them together."""

    cpu: float = 0.0
    """Seconds, since the watching began."""
    peak_mib: float = 0.0
    """The largest resident memory of one of them, ever."""


class Watch:
    """Follows processes by kind."""

    def __init__(self, kind_of: Callable[[str], str]) -> None:
        """kind_of: from a command line to what the process is; empty: it is none of interest."""
        self._kind_of = kind_of
        self._began: dict[int, float] = {}
        self._now: dict[int, tuple[str, float, float]] = {}

    def begin(self) -> None:
        """What was used up to now does not count."""
        self._began = {pid: cpu for pid, (_, cpu, _) in self._look().items()}

    def look(self) -> None:
        """Takes in how they are now."""
        self._now |= self._look()

    @property
    def usage(self) -> Mapping[str, Usage]:
        """By kind, processes that have ended included."""
        found: dict[str, Usage] = {}
        for pid, (kind, cpu, peak) in self._now.items():
            one = found.setdefault(kind, Usage())
            one.cpu += cpu - self._began.get(pid, 0.0)
            one.peak_mib = max(one.peak_mib, peak)
        return found

    def _look(self) -> dict[int, tuple[str, float, float]]:
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if kind := self._kind_of(command):
                        found[int(entry.name)] = kind, _cpu(entry), _peak(entry)
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


def _cpu(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak(process: Path) -> float:
    line = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
