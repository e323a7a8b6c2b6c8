"""Nodes join a chain of many accounts: from a snapshot, against from their peers' blocks in the same run.

`python -m bench.joining [--rows N] [--nodes N] [--keep FOLDER]`
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.allocation import MEMORY_MIB, ROWS, write_csv
from bench.audit import VOTE
from bench.harness import BenchError, Figure, Say, say, show
from bench.loading import load_seconds
from bench.network import Bench, bench_network, free_port
from bench.watching import Usage, watching

NODES = 21
RATIO = 0.2
SECONDS = 2400.0


def run(say: Say, rows: int = ROWS, nodes: int = NODES, keep: Path | None = None) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    name = f"joining, {rows} rows, {nodes} nodes"
    with bench_network("joining", keep) as bench:
        write_csv(bench.folder / "users.csv", rows)
        text = f"[producers]\ncount = 1\n{VOTE}\n\n"
        first = "\n\n".join(bench.nodes(["defproducera"]))
        _write(bench, text + first)
        say(f"booting {rows} accounts, to the end")
        bench.coord("boot")
        say(f"{nodes} nodes join by a snapshot")
        with watching(bench.kind) as watch:
            quick = _join(bench, text + first, "quick", nodes, "always")
        say(f"all have the newest blocks after {quick:.1f} s; {nodes} nodes join by their peers' blocks")
        for number in range(nodes):  # they would take CPU from the nodes that follow
            bench.coord("node", "stop", f"quick{number}")
        slow = _join(bench, text + first, "slow", nodes, "never")
        bench.coord("down")
        say(f"nodeos alone loads the snapshot, {nodes} times")
        (snapshot,) = (bench.state / "snapshots").glob("*.bin")
        bound, one = (load_seconds(snapshot, count, bench.folder / f"load{count}") for count in (nodes, 1))
        yield Figure(name, "nodes ready, by a snapshot", quick, "s", slow, "by their peers' blocks", RATIO)
        yield Figure(name, "nodes ready, by a snapshot", quick, "s", bound, "nodeos alone loads it so often")
        yield Figure(name, "nodeos alone loads the snapshot once", one, "s")
        yield Figure(name, "the snapshot", snapshot.stat().st_size / 1e6, "MB")
        for kind in ("coord", "agent"):
            peak = watch.usage.get(kind, Usage()).peak_mib
            yield Figure(name, f"memory of {kind} while nodes join", peak, "MiB", at_most=MEMORY_MIB)


def _write(bench: Bench, text: str) -> None:
    (bench.folder / f"{bench.name}.toml").write_text(f'[network]\nname = "{bench.name}"\n\n{text}\n')


def _join(bench: Bench, text: str, prefix: str, count: int, rule: str) -> float:
    """Adds full nodes to the inventory. Seconds from `coord boot` until all have the newest blocks."""
    ports = {f"{prefix}{number}": free_port() for number in range(count)}
    entries = [
        f'[[nodes]]\nname = "{name}"\np2p_port = {free_port()}\nhttp_port = {port}\nsnapshot = "{rule}"'
        for name, port in ports.items()
    ]
    _write(bench, "\n\n".join([text, *entries]))
    began, failed = time.monotonic(), ""
    while any(_behind(bench, port) for port in ports.values()):
        if time.monotonic() - began > SECONDS:
            raise BenchError(f"{count} nodes were not ready within {SECONDS:g} s: {failed}")
        try:
            bench.coord("boot")
        except BenchError as error:  # a node that executes many accounts at once answers nobody for a while
            failed = str(error)
        time.sleep(0.2)
    return time.monotonic() - began


def _behind(bench: Bench, port: int) -> bool:
    """Whether a node is behind the genesis node, which shows irreversible blocks; true if it does not answer."""
    head = int(bench.ask("get_info", {})["head_block_num"])
    try:
        return int(bench.ask("get_info", {}, port)["head_block_num"]) < head
    except OSError:
        return True


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.joining")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--keep", type=Path, help="a folder for the network, which is kept")
    options = parser.parse_args()
    return show(run(say, options.rows, options.nodes, options.keep))


if __name__ == "__main__":
    sys.exit(main())
