"""Runs the benchmarks and writes the table: `python -m bench [NAME…] [--quick] [--add] [--out FOLDER]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from compileall import compile_dir
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench import agents, allocation, audit, boot_to_live, commands, coordination, idle, joining, rows, tutorial
from bench.harness import BenchError, Figure, Say, machine, say, stoppable
from bench.results import JSON, MARKDOWN, Ran, read, write
from support.version import PACKAGES

Run = Callable[[Say], Iterator[Figure]]

BENCHMARKS: Mapping[str, Run] = {
    "coordination": coordination.run,
    "agents": agents.run,
    "idle": idle.run,
    "rows": rows.run,
    "commands": commands.run,
    "boot-to-live": boot_to_live.run,
    "tutorial": tutorial.run,
    "allocation": allocation.run,
    "allocation-untouched": partial(allocation.run, limits="untouched"),
    "audit": audit.run,
    "joining": joining.run,
}
"""By name, in order. A new benchmark is a file of its own and a line here."""
FEW = 2000
"""Rows of a quick run."""
QUICK: Mapping[str, Run] = {
    "agents": partial(agents.run, sizes=(40, 80)),
    "rows": partial(rows.run, rows=FEW),
    "boot-to-live": partial(boot_to_live.run, producers=(1,)),
    "tutorial": partial(tutorial.run, users=50, producers=3),
    "allocation": partial(allocation.run, rows=FEW),
    "allocation-untouched": partial(allocation.run, rows=FEW, limits="untouched"),
    "audit": partial(audit.run, rows=FEW),
    "joining": partial(joining.run, rows=FEW, nodes=2),
}
"""The benchmarks with little to do: for checking that they run. Their figures mean nothing and are not judged."""
FOLDER = Path("bench/results")
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Returns the exit status. 0: all ran and met their goals; 1: one failed or missed a goal; 2: no such benchmark."""
    options = _options()
    stoppable()
    for package in (*PACKAGES, "coordinator"):  # as `make setup` does, for files that were edited afterwards
        compile_dir(ROOT / package, quiet=2)
    names = options.names or list(BENCHMARKS)
    runs = [ran for ran in (read(options.out) if options.add else ()) if ran.name not in names]
    done = []
    for name in names:
        say(f"== {name}")
        ran = _run(name, QUICK.get(name, BENCHMARKS[name]) if options.quick else BENCHMARKS[name], options.quick)
        done.append(ran)
        write(options.out, [*runs, *done])
    say(f"written: {options.out / MARKDOWN} and {JSON}")
    return 0 if all(ran.met for ran in done) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; none: all of them")
    parser.add_argument("--out", type=Path, default=FOLDER, help=f"the folder of {MARKDOWN} and {JSON} (%(default)s)")
    parser.add_argument("--add", action="store_true", help="keep what other benchmarks wrote there")
    parser.add_argument("--quick", action="store_true", help="little to do: to see that they run, not to measure")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    return options


def _run(name: str, run: Run, quick: bool) -> Ran:
    where, began, figures, failure = machine(), time.monotonic(), [], ""
    try:
        for figure in run(say):
            figures.append(replace(figure, at_most=None, at_least=None) if quick else figure)
            print(figures[-1].line(), flush=True)
    except Exception as error:  # one that fails must not keep the others from running
        failure = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        say(f"{name}: {failure}")
    return Ran(name, where, tuple(figures), failure, round(time.monotonic() - began, 1))


if __name__ == "__main__":
    sys.exit(main())
