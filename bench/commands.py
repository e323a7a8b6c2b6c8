"""What small commands cost: CPU of `coord` at several numbers of users, and memory of the parts that need no chain.

`python -m bench commands`
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.harness import BenchError, Figure, Say
from bench.network import COORD
from bench.shapes import BALANCES, write_shape

SMALL, LARGE = 163_930, 1_000_000
PLAN_SECONDS = {SMALL: 1.0, LARGE: 6.0}
HELP_SECONDS, LITTLE_SECONDS = 0.1, 0.5
MEMORY_MIB = 300.0
LAUNCHER = Path(__file__).with_name("launcher.py")
INVENTORY = '[network]\nname = "commands"\n[users]\ncsv = "users.csv"\n[producers]\ncount = 1\n'
PARTS = {"coordinator": "load, allocate and hash", "agent": "read, find and derive"}


@dataclass(frozen=True)
class Cost:
    """What a command cost, after its end."""

    cpu: float
    """Seconds, of the command and all processes that it waited for."""
    seconds: float
    peak_mib: float


def cost(words: Sequence[str | Path], folder: Path, statuses: tuple[int, ...] = (0,)) -> Cost:
    """Runs the command to its end. Raises BenchError when its exit status is another than these."""
    with tempfile.TemporaryDirectory() as place:
        result = Path(place) / "cost"
        launched = [sys.executable, "-I", "-S", LAUNCHER, result, *words]
        done = subprocess.run(launched, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        used = json.loads(result.read_text()) if result.exists() else None
    if used is None or used["status"] not in statuses:
        said = (done.stdout + done.stderr)[-500:].decode(errors="replace")
        raise BenchError(f"{' '.join(map(str, words))}: {said}")
    return Cost(used["cpu"], used["seconds"], used["peak_kib"] / 1024)


def run(say: Say) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="bench-commands-") as place:
        folder = Path(place)
        (folder / "commands.toml").write_text(INVENTORY)
        yield _little("commands", "--help", folder, ["--help"], HELP_SECONDS)
        yield _little("commands", "verify --help", folder, ["verify", "--help"], LITTLE_SECONDS)
        for rows in (SMALL, LARGE):
            for shape in BALANCES if rows == SMALL else ["even"]:
                say(f"{rows} users, {shape} balances")
                write_shape(folder / "users.csv", rows, shape)
                yield from _of_users(f"commands, {rows} users, {shape} balances", folder, rows)


def _of_users(name: str, folder: Path, rows: int) -> Iterator[Figure]:
    plan = cost([COORD, "plan", "commands.toml"], folder)
    yield Figure(name, "CPU of `coord plan`", plan.cpu, "s", at_most=PLAN_SECONDS[rows])
    yield Figure(name, "wall time of `coord plan`", plan.seconds, "s")
    yield Figure(name, "memory of `coord plan`", plan.peak_mib, "MiB", at_most=MEMORY_MIB)
    yield _little(name, "status", folder, ["status", "commands.toml"], LITTLE_SECONDS)
    yield _little(name, "invite", folder, ["invite", "commands.toml", f"party{'a' * 7}"], LITTLE_SECONDS)
    for part, does in PARTS.items():
        used = cost([sys.executable, "-m", "bench.parts", part, folder / "commands.toml"], Path(__file__).parents[1])
        yield Figure(name, f"memory of the {part}'s part: {does}", used.peak_mib, "MiB", at_most=MEMORY_MIB)


def _little(name: str, what: str, folder: Path, words: Sequence[str], most: float) -> Figure:
    return Figure(name, f"CPU of `coord {what}`", cost([COORD, *words], folder).cpu, "s", at_most=most)
