"""What every benchmark returns: figures, each with a yardstick from the same run and a goal."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from support.bundled import RELEASE_SHA256

Say = Callable[[str], None]
"""Tells the user what the benchmark is doing, a line at a time."""


class BenchError(Exception):
    """A benchmark could not be carried out. The message has the last lines of the command that failed."""


def show(figures: Iterable[Figure]) -> int:
    """Prints the figures as they come. Returns the exit status: 1 if the benchmark could not be carried out."""
    stoppable()
    try:
        for figure in figures:
            print(figure.line(), flush=True)
    except BenchError as error:
        say(str(error))
        return 1
    return 0


def say(text: str) -> None:
    """Prints a line of progress to stderr, so that it is not among the figures."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Figure:
    """One thing that was measured."""

    benchmark: str
    what: str
    value: float
    unit: str
    against: float | None = None
    """The yardstick, in the same unit."""
    yardstick: str = ""
    """What the yardstick is."""
    at_most: float | None = None
    """The goal: for the ratio if there is a yardstick, else for the value. None: the figure has no goal."""
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value in yardsticks."""
        return None if self.against is None else self.value / self.against if self.against else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is no goal."""
        if self.at_most is None and self.at_least is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return (self.at_most is None or judged <= self.at_most) and (self.at_least is None or judged >= self.at_least)

    def line(self) -> str:
        """For people: the value; and the yardstick, the ratio and the goal, if there are any."""
        text = f"{self.what}: {number(self.value)} {self.unit}"
        if self.ratio is not None:
            text += f", {self.yardstick} {number(self.against or 0.0)} {self.unit}: ratio {self.ratio:.2f}"
        if self.met is not None:
            text += f" (goal {goal(self)}: {'met' if self.met else 'MISSED'})"
        return text


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    bootcoord: str
    """Version and commit."""
    nodeos_sha256: str
    """Of the bundled runtime's binary."""
    load: float
    """Runnable processes during the minute before. Other load lengthens absolute times, and changes ratios less."""
    at: str
    """UTC."""


def machine() -> Machine:
    """Describes this machine as it is now."""
    facts = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    root = Path(__file__).parents[1]
    commit = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return Machine(
        cpu=names[0] if names else platform.machine(),
        cores=os.cpu_count() or 1,
        memory_mib=memory,
        kernel=platform.release(),
        python=platform.python_version(),
        bootcoord=f"{version('bootcoord')} {commit}".strip(),
        nodeos_sha256=RELEASE_SHA256,
        load=os.getloadavg()[0],
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def goal(figure: Figure) -> str:
    """The goal in words; empty if there is none."""
    goals = (("≤", figure.at_most), ("≥", figure.at_least))
    unit = "" if figure.against is not None else f" {figure.unit}"
    return ", ".join(f"{sign} {number(limit)}{unit}" for sign, limit in goals if limit is not None)


def number(value: float) -> str:
    """The number with three significant digits; whole numbers in full."""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def stoppable() -> None:
    """Makes SIGTERM and SIGHUP end this process as Ctrl-C does, so that everything a benchmark started is stopped. Only
    the first signal counts: a second one must not interrupt the stopping.
    """

    def end(received: int, _: FrameType | None) -> None:
        for one in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)
        say(f"{signal.Signals(received).name}: stopping what runs")
        sys.exit(128 + received)

    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, end)
