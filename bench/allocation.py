"""The allocation: accounts of a CSV through the whole product, against a replay of the same blocks by the same nodeos.

`python -m bench.allocation [--rows N] [--shape NAME] [--limits raised|untouched] [--option NAME=VALUE …]`
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import coincurve

from antelope.keys import PublicKey
from bench.harness import BenchError, Figure, Say, say, show
from bench.network import Bench, bench_network
from bench.replay import replay
from bench.shapes import BALANCES, EVEN, write_shape
from bench.watching import Usage, watching

ROWS = 163_930
"""Accounts with which the EOS mainnet began."""
RAISED_RATIO, UNTOUCHED_RATIO = 1.5, 1.3
PYTHON_SHARE = 0.15
MEMORY_MIB = 300.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz12345"


def account(number: int) -> str:
    """The account's name for a number."""
    text = ""
    for _ in range(9):
        number, digit = divmod(number, len(_LETTERS))
        text = _LETTERS[digit] + text
    return "acc" + text


def write_csv(path: Path, rows: int) -> None:
    """account, public key, balance; the same for the same number of rows."""
    with path.open("w") as file:
        for number in range(rows):
            secret = hashlib.sha256(f"bench {number}".encode()).digest()
            key = PublicKey(coincurve.PrivateKey(secret).public_key.format())
            file.write(f"{account(number)},{key},{100 + number % 977}.{number % 10000:04d}\n")


def run(
    say: Say,
    rows: int = ROWS,
    limits: str = "raised",
    keep: Path | None = None,
    *,
    shape: str = EVEN,
    options: Sequence[str] = (),
) -> Iterator[Figure]:
    """The figures. shape: of the balances, see `bench.shapes`. options: NAME=VALUE, of nodeos. Raises BenchError."""
    more = [f"{shape} balances"] * (shape != EVEN) + list(options)
    name = ", ".join((f"allocation, {rows} rows, limits {limits}", *more))
    with bench_network("allocation", keep) as bench:
        if shape == EVEN:
            write_csv(bench.folder / "users.csv", rows)
        else:
            write_shape(bench.folder / "users.csv", rows, shape)
        raising = "true" if limits == "raised" else "false"
        own = "".join(f"{name} = {json.dumps(value)}\n" for name, _, value in (one.partition("=") for one in options))
        tables = f"[genesis]\nraise_limits = {raising}\n\n[nodeos.options]\n{own}"
        bench.write(f'[users]\ncsv = "users.csv"\n\n{tables}')
        say(f"booting to the accounts: {name}")
        for before in ("init", "privileges"):
            bench.coord("boot", "--until", before)
        with watching(bench.kind) as watch:
            coord = bench.coord_cpu("boot", "--until", "accounts")
        idle = bench.coord_cpu("boot", "--until", "accounts")
        step = bench.step_seconds("accounts")
        allowed = _allowed_seconds(bench) if limits == "untouched" else None
        say(f"step accounts: {step:.1f} s; replaying its blocks")
        bench.coord("down")
        played = replay(bench.genesis / "data" / "blocks", bench.folder / "replay")
        if allowed is None:
            yield Figure(name, "step `accounts`", step, "s", played.seconds, "replay of the same blocks", RAISED_RATIO)
        else:
            yield Figure(name, "step `accounts`", step, "s", allowed, "what the limits allow", UNTOUCHED_RATIO)
            yield Figure(name, "replay of the same blocks", played.seconds, "s")
        yield Figure(name, "accounts a second", rows / step, "1/s")
        yield from _usage(name, watch.usage, coord, idle)
        used, own = _of(watch.usage, "nodeos"), "its replay, start included"
        yield Figure(name, "CPU of nodeos", used.cpu, "s", played.cpu, own)
        yield Figure(name, "CPU of nodeos' main thread, which is the bound", used.main, "s", played.main, own)


def _of(usage: Mapping[str, Usage], kind: str) -> Usage:
    return usage.get(kind, Usage())


def _usage(name: str, usage: Mapping[str, Usage], coord: float, idle: float) -> Iterator[Figure]:
    """coord: seconds of CPU of this boot's coord. idle: of a coord that finds everything done."""
    agent, nodeos = _of(usage, "agent"), _of(usage, "nodeos")
    python = agent.cpu + coord - idle
    yield Figure(
        name, "CPU of Python, less a coord with nothing to do", python, "s", nodeos.cpu, "nodeos", PYTHON_SHARE
    )
    yield Figure(name, "CPU of the agent alone", agent.cpu, "s", nodeos.cpu, "nodeos")
    yield Figure(name, "CPU of coord, its start included", coord, "s", nodeos.cpu, "nodeos")
    yield Figure(name, "memory of the agent", agent.peak_mib, "MiB", at_most=MEMORY_MIB)
    yield Figure(name, "memory of coord", _of(usage, "coord").peak_mib, "MiB", at_most=MEMORY_MIB)
    yield Figure(name, "memory of nodeos", nodeos.peak_mib, "MiB")


def _allowed_seconds(bench: Bench) -> float:
    """How long the accounts would take if every block were filled to the chain's limits, by what was billed."""
    limits = bench.ask("get_consensus_parameters", {})["chain_config"]
    cpu = net = 0
    for number in range(2, int(bench.ask("get_info", {})["head_block_num"]) + 1):
        receipts = bench.ask("get_raw_block", {"block_num_or_id": str(number)})["transactions"]
        large = [one for one in receipts if one["cpu_usage_us"] > 2000]
        cpu += sum(one["cpu_usage_us"] for one in large)
        net += sum(8 * one["net_usage_words"] for one in large)
    if not cpu:
        raise BenchError("no block holds transactions of the allocation")
    return float(max(cpu / limits["max_block_cpu_usage"], net / limits["max_block_net_usage"])) / 2


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.allocation")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--limits", choices=("raised", "untouched"), default="raised")
    parser.add_argument("--shape", choices=tuple(BALANCES), default=EVEN, help="of the balances")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of nodeos")
    parser.add_argument("--keep", type=Path, help="a folder for the network, which is kept")
    given = parser.parse_args()
    return show(run(say, given.rows, given.limits, given.keep, shape=given.shape, options=given.option))


if __name__ == "__main__":
    sys.exit(main())
