"""The audit of a whole chain, and commands with nothing to do, against a replay of its blocks by the same nodeos.

`python -m bench.audit [--rows N] [--keep FOLDER]`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.allocation import MEMORY_MIB, ROWS, write_csv
from bench.commands import LITTLE_SECONDS, cost
from bench.harness import Figure, Say, say, show
from bench.network import COORD, Bench, bench_network
from bench.replay import replay
from bench.watching import Usage, watching

RATIO = 0.5
VOTE = """minimum = "200000000.0000 SYS"

[users]
csv = "users.csv"

[[votes.vote]]
voter = "defproducera"
producers = ["defproducera"]"""
"""The inventory. Its only producer has enough stake for an election, because nobody here can vote for a CSV's users."""


def run(say: Say, rows: int = ROWS, keep: Path | None = None) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    name = f"audit, {rows} rows"
    with bench_network("audit", keep) as bench:
        write_csv(bench.folder / "users.csv", rows)
        bench.write(VOTE)
        say(f"booting {rows} accounts, to the end")
        bench.coord("boot")
        say("auditing")
        with watching(bench.kind) as watch:
            began = time.monotonic()
            bench.coord("verify", "--strict")
            seconds = time.monotonic() - began
        little = list(_little(name, bench))
        bench.coord("down")
        say("replaying its blocks")
        played = replay(bench.genesis / "data" / "blocks", bench.folder / "replay")
        yield Figure(name, "`coord verify`", seconds, "s", played.seconds, "replay of the same blocks", RATIO)
        for kind in ("coord", "agent"):
            usage = watch.usage.get(kind, Usage())
            yield Figure(name, f"CPU of {kind} in it", usage.cpu, "s")
            yield Figure(name, f"memory of {kind}", usage.peak_mib, "MiB", at_most=MEMORY_MIB)
        yield from little


def _little(name: str, bench: Bench) -> Iterator[Figure]:
    """Figures of commands that use what the boot has computed already."""
    file = f"{bench.name}.toml"
    for words in (["boot", file], ["status", file], ["logs", file, "genesis"], ["invite", file, "partyaaaaaaa"]):
        used = cost([COORD, *words], bench.folder)
        yield Figure(name, f"CPU of `coord {words[0]}`", used.cpu, "s", at_most=LITTLE_SECONDS)
        yield Figure(name, f"memory of `coord {words[0]}`", used.peak_mib, "MiB", at_most=MEMORY_MIB)


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--keep", type=Path, help="a folder for the network, which is kept")
    options = parser.parse_args()
    return show(run(say, options.rows, options.keep))


if __name__ == "__main__":
    sys.exit(main())
