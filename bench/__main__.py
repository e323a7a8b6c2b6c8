"""Runs the benchmarks and writes the table: `python -m bench [NAME…] [--out FOLDER]`; all of them without a name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from compileall import compile_dir
from pathlib import Path

from bench import agents, allocation, audit, boot_to_live, commands, coordination, idle, joining, rows, tutorial
from bench.harness import BenchError, Figure, Say, machine, say, write
from support.version import PACKAGES

BENCHMARKS: Mapping[str, Callable[[Say], Iterator[Figure]]] = {
    "coordination": coordination.run,
    "agents": agents.run,
    "idle": idle.run,
    "rows": rows.run,
    "commands": commands.run,
    "boot-to-live": boot_to_live.run,
    "tutorial": tutorial.run,
    "allocation": allocation.run,
    "allocation-untouched": lambda tell: allocation.run(tell, limits="untouched"),
    "audit": audit.run,
    "joining": joining.run,
}
"""By name, in order. A new benchmark is a file of its own and a line here."""
FOLDER = Path("bench/results")
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Status 0: all ran, and met their goals; 1: not so; 2: there is no such benchmark."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder of results.md and results.json")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    for package in (*PACKAGES, "coordinator"):  # as `make setup` does, for files that were edited since
        compile_dir(ROOT / package, quiet=2)
    where, figures, failures = machine(), [], []
    for name in options.names or BENCHMARKS:
        say(f"== {name}")
        try:
            for figure in BENCHMARKS[name](say):
                figures.append(figure)
                print(figure.line(), flush=True)
        except Exception as error:  # whatever it is, the others still run
            what = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
            failures.append(f"{name}: {what}")
            say(failures[-1])
        write(options.out, where, figures, failures)
    say(f"written: {options.out / 'results.md'} and results.json")
    return 1 if failures or any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
