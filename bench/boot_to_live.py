"""From `coord boot` to the elected schedule, and to the irreversible resignation, against what the chain imposes.

`python -m bench.boot_to_live [PRODUCERS…]`
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from antelope.elections import BLOCK_SECONDS
from bench.harness import BenchError, Figure, Say, say, show
from bench.imposed import handover
from bench.network import COORD, Bench, bench_network

PRODUCERS = (1, 4, 21)
ABOVE = 10.0
"""Seconds above what the chain imposes."""
BEFORE_VOTES = 4
"""The fewest blocks of any boot before its votes: PREACTIVATE_FEATURE is active from the second block on, the features
from the third, which may hold everything else and becomes irreversible with the fourth."""
CROSSING = "crossing"
"""The key of the transaction whose votes make the first election possible."""
SLOTS_FROM = datetime(2000, 1, 1, tzinfo=UTC)
_ENDED = re.compile(r"^ +(?:ok|--) +(\S+) ")
"""A step that is done, or was found done already at the first look, as the schedule may be."""


def run(say: Say, producers: Sequence[int] = PRODUCERS) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    for count in producers:
        with bench_network("live") as bench:
            bench.write("[users]\ncount = 20", count)
            say(f"booting {count} producers")
            began, ended = time.time(), _boot(bench)
            last, slot = _last_of_eosio(bench)
            elect = BEFORE_VOTES + last - bench.block_of("votes", CROSSING)
            final = elect + handover(count, last, slot).resigned
            name = f"boot to live, {count} producer{'s' if count > 1 else ''}"
            until = (("handover", "elected schedule active", elect), ("resign", "eosio resigned", final))
            for step, what, blocks in until:
                imposed, took = blocks * BLOCK_SECONDS, ended[step] - began
                yield Figure(name, f"{what}, by the chain alone", imposed, "s")
                yield Figure(name, f"{what}, above the chain's", took - imposed, "s", at_most=ABOVE)
                yield Figure(name, f"{what}, from coord boot", took, "s")


def _boot(bench: Bench) -> dict[str, float]:
    """When each step ended, by the clock. Raises BenchError."""
    words = [str(COORD), "boot", f"{bench.name}.toml"]
    ended: dict[str, float] = {}
    lines: list[str] = []
    with subprocess.Popen(
        words, cwd=bench.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as coord:
        for line in coord.stdout or ():
            lines.append(line)
            if found := _ENDED.match(line):
                ended[found[1]] = time.time()
    if coord.returncode:
        raise BenchError("coord boot failed:\n" + "".join(lines[-20:]))
    return ended


def _last_of_eosio(bench: Bench) -> tuple[int, int]:
    """The block before the elected producers' first, and its slot."""
    number = bench.block_of("votes", CROSSING)
    while (block := bench.ask("get_block", {"block_num_or_id": number + 1}))["producer"] == "eosio":
        number += 1
    moment = datetime.fromisoformat(block["timestamp"]).replace(tzinfo=UTC)
    return number, round((moment - SLOTS_FROM).total_seconds() / BLOCK_SECONDS) - 1


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.boot_to_live")
    parser.add_argument("producers", nargs="*", type=int, default=PRODUCERS)
    return show(run(say, parser.parse_args().producers))


if __name__ == "__main__":
    sys.exit(main())
