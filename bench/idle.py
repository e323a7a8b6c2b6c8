"""What an idle agent costs: memory and CPU with one node, and with more nodes.

`python -m bench.idle`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.harness import BenchError, Figure, Say, say, show
from bench.network import Bench, bench_network
from bench.watching import cpu_seconds, own_mib, resident_mib

MORE = 4
"""Nodes that are added to the genesis node."""
MEMORY_MIB, CORE_PERCENT, NODE_MIB = 60.0, 0.5, 2.0
SETTLE_SECONDS, SECONDS = 5.0, 30.0
"""Seconds to wait after the last task; and seconds to watch."""


@dataclass(frozen=True)
class Idle:
    """The memory and CPU of an idle agent."""

    mib: float
    own_mib: float
    """The part of it that no other process can share."""
    percent: float
    """Of a core."""


def run(say: Say) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    with bench_network("idle") as bench:
        bench.write("[users]\ncount = 20", MORE)
        bench.coord("boot", "--until", "genesis")
        say(f"one node, for {SECONDS:g} s")
        one = _idle(bench)
        bench.coord("boot", "--until", "producer-nodes")
        say(f"{1 + MORE} nodes, for {SECONDS:g} s")
        several = _idle(bench)
    name = "idle agent"
    yield Figure(name, "memory, one node", one.mib, "MiB", at_most=MEMORY_MIB)
    yield Figure(name, "memory without the libraries' files, one node", one.own_mib, "MiB")
    yield Figure(name, "CPU, one node", one.percent, "% of a core", at_most=CORE_PERCENT)
    yield Figure(name, "memory, each node more", (several.mib - one.mib) / MORE, "MiB", at_most=NODE_MIB)
    yield Figure(name, f"CPU, {1 + MORE} nodes", several.percent, "% of a core")


def _idle(bench: Bench) -> Idle:
    agents = [path for path in Path("/proc").iterdir() if path.name.isdigit() and _is_agent(bench, path)]
    if len(agents) != 1:
        raise BenchError(f"{len(agents)} agents of the network run, not one")
    (agent,) = agents
    time.sleep(SETTLE_SECONDS)
    before, began = cpu_seconds(agent), time.monotonic()
    time.sleep(SECONDS)
    used = (cpu_seconds(agent) - before) / (time.monotonic() - began)
    return Idle(resident_mib(agent), own_mib(agent), 100 * used)


def _is_agent(bench: Bench, process: Path) -> bool:
    try:
        command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has ended
        return False
    return bench.kind(command) == "agent"


if __name__ == "__main__":
    sys.exit(show(run(say)))
