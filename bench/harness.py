"""What every benchmark gives: figures, each against a yardstick of the same run and a goal, and the table of them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from support.bundled import RELEASE_SHA256

Say = Callable[[str], None]
"""Tells the user what is under way, a line at a time."""


class BenchError(Exception):
    """A benchmark could not be carried out. A line or a few: what was said last."""


def show(figures: Iterable[Figure]) -> int:
    """Prints them as they come. Returns the exit status: 1 where it could not be carried out."""
    try:
        for figure in figures:
            print(figure.line(), flush=True)
    except BenchError as error:
        say(str(error))
        return 1
    return 0


def say(text: str) -> None:
    """On the terminal, apart from the figures."""
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
    """The goal: for the ratio where there is a yardstick, else for the value; None: told for information."""
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        """The value in yardsticks."""
        return None if self.against is None else self.value / self.against if self.against else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None: there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        judged = self.value if self.ratio is None else self.ratio
        return (self.at_most is None or judged <= self.at_most) and (self.at_least is None or judged >= self.at_least)

    def line(self) -> str:
        """For people: the value, and where there is one, the yardstick, the ratio and the goal."""
        text = f"{self.what}: {_number(self.value)} {self.unit}"
        if self.ratio is not None:
            text += f", {self.yardstick} {_number(self.against or 0.0)} {self.unit}: ratio {self.ratio:.2f}"
        if self.met is not None:
            text += f" (goal {_goal(self)}: {'met' if self.met else 'MISSED'})"
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
    """Processes that wanted to run, in the minute before: others' work makes absolute times longer, ratios less so."""
    at: str
    """UTC."""


def machine() -> Machine:
    """This machine, now."""
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


def write(folder: Path, where: Machine, figures: Sequence[Figure], failures: Iterable[str] = ()) -> None:
    """Writes results.md and results.json into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = list(failures)
    rows = [asdict(one) | {"ratio": one.ratio, "met": one.met} for one in figures]
    document = {"machine": asdict(where), "figures": rows, "failures": failed}
    (folder / "results.json").write_text(json.dumps(document, indent=2) + "\n")
    (folder / "results.md").write_text(table(where, figures, failed))


def table(where: Machine, figures: Iterable[Figure], failures: Iterable[str] = ()) -> str:
    """The results in Markdown."""
    lines = ["# Benchmarks", ""]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in asdict(where).items()]
    lines += ["", "| benchmark | measured | value | against | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for one in figures:
        against = f"{one.yardstick}: {_number(one.against)} {one.unit}" if one.against is not None else ""
        ratio = f"{one.ratio:.2f}" if one.ratio is not None else ""
        mark = {None: "", True: "met", False: "**missed**"}[one.met]
        value = f"{_number(one.value)} {one.unit}"
        lines.append(f"| {one.benchmark} | {one.what} | {value} | {against} | {ratio} | {_goal(one)} | {mark} |")
    lines += ["", *(f"- failed: {failure}" for failure in failures)]
    return "\n".join(lines).rstrip() + "\n"


def _goal(figure: Figure) -> str:
    goals = (("≤", figure.at_most), ("≥", figure.at_least))
    unit = "" if figure.against is not None else f" {figure.unit}"
    return ", ".join(f"{sign} {_number(limit)}{unit}" for sign, limit in goals if limit is not None)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
