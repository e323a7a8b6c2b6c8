"""The table of results: results.json for programs, results.md for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from bench.harness import BenchError, Figure, Machine, goal, number

JSON, MARKDOWN = "results.json", "results.md"


@dataclass(frozen=True)
class Ran:
    """A benchmark that was run."""

    name: str
    where: Machine
    figures: tuple[Figure, ...]
    failure: str
    """Why it was not carried out; empty if it was."""
    seconds: float

    @property
    def met(self) -> bool:
        """Whether it was carried out and met its goals."""
        return not self.failure and all(figure.met is not False for figure in self.figures)


def write(folder: Path, runs: Sequence[Ran]) -> None:
    """Writes both files into the folder, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": asdict(runs[-1].where),
        "runs": [
            {"name": ran.name, "seconds": ran.seconds, "failure": ran.failure, "machine": asdict(ran.where)}
            for ran in runs
        ],
        "figures": [
            asdict(one) | {"run": ran.name, "ratio": one.ratio, "met": one.met} for ran in runs for one in ran.figures
        ],
        "failures": [f"{ran.name}: {ran.failure}" for ran in runs if ran.failure],
    }
    (folder / JSON).write_text(json.dumps(document, indent=2) + "\n")
    (folder / MARKDOWN).write_text(table(runs))


def read(folder: Path) -> list[Ran]:
    """The results in the folder; none if there is no file. Raises BenchError for a file of another version."""
    try:
        document = json.loads((folder / JSON).read_text())
        return [_read(one, document["figures"]) for one in document["runs"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{folder / JSON} is not of this version: move it away") from error


def _read(run: dict[str, Any], figures: Iterable[dict[str, Any]]) -> Ran:
    names = {field.name for field in fields(Figure)}
    own = tuple(
        Figure(**{name: value for name, value in one.items() if name in names})
        for one in figures
        if one["run"] == run["name"]
    )
    return Ran(run["name"], Machine(**run["machine"]), own, run["failure"], run["seconds"])


def table(runs: Sequence[Ran]) -> str:
    """The results in Markdown."""
    machine = asdict(runs[-1].where)
    lines = ["# Benchmarks", ""]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in machine.items() if name not in ("at", "load")]
    lines += ["", "| benchmark | measured | value | against | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    lines += [_row(one) for ran in runs for one in ran.figures]
    lines += ["", "| run | at (UTC) | took | load before it | bootcoord |", "|---|---|---|---|---|"]
    for ran in runs:
        lines.append(
            f"| {ran.name} | {ran.where.at} | {ran.seconds:.0f} s | {ran.where.load:.1f} | {ran.where.bootcoord} |"
        )
    lines += ["", *(f"- failed: {ran.name}: {ran.failure}" for ran in runs if ran.failure)]
    return "\n".join(lines).rstrip() + "\n"


def _row(one: Figure) -> str:
    against = f"{one.yardstick}: {number(one.against)} {one.unit}" if one.against is not None else ""
    ratio = f"{one.ratio:.2f}" if one.ratio is not None else ""
    mark = {None: "", True: "met", False: "**missed**"}[one.met]
    cells = (one.benchmark, one.what, f"{number(one.value)} {one.unit}", against, ratio, goal(one), mark)
    return f"| {' | '.join(cells)} |"
