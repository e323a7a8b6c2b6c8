"""The tutorial's load until the vote that elects, against the original script's sequence on the same nodeos.

`python -m bench.tutorial [--users N] [--producers N]`
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.harness import Figure, Say, say, show
from bench.network import Bench, bench_network
from bench.tutorial_script import Script
from bench.watching import watching
from coordinator.state.folder import StateFolder
from inventory.load import load
from inventory.rows import Allocation

SOURCE = Path(__file__).parents[1] / "inventory" / "tutorial.toml"
FASTER, STAKING_FASTER = 5.0, 100.0


def run(say: Say, users: int = 3000, producers: int = 30) -> Iterator[Figure]:
    """The figures. Raises BenchError."""
    with bench_network("tutorial") as bench:
        _write(bench, users, producers)
        say(f"booting the tutorial's network to its votes: {users} users, {producers} producers")
        began = time.monotonic()
        with watching(bench.kind) as watch:
            bench.coord("boot", "--until", "votes")
        ours, staking = time.monotonic() - began, bench.step_seconds("accounts")
        cpu = {kind: usage.cpu for kind, usage in watch.usage.items()}
        steps = {name: bench.step_seconds(name) for name in ("register", "proxies", "producer-nodes", "synced")}
        bench.coord("down")
        say("driving the script's sequence through cleos")
        script, theirs = _script(bench)
        name = f"tutorial, {users} users, {producers} producers"
        yield Figure(name, "the script, from its start to the crossing vote", theirs, "s", ours, "coord boot",
                     at_least=FASTER)  # fmt: skip
        yield Figure(name, "staking, by the script", script.staking_seconds, "s", staking, "step `accounts`",
                     at_least=STAKING_FASTER)  # fmt: skip
        yield Figure(name, "the script's fixed waits", script.waits, "s")
        for step, seconds in steps.items():
            yield Figure(name, f"step `{step}`", seconds, "s")
        for kind, seconds in sorted(cpu.items()):
            yield Figure(name, f"CPU of {kind} until the votes", seconds, "s")


def _write(bench: Bench, users: int, producers: int) -> None:
    """The tutorial's inventory with another size and free ports."""
    text = SOURCE.read_text()
    text = re.sub(r"(?m)^count = 3000$", f"count = {users}", text).replace(
        'name = "tutorial"', f'name = "{bench.name}"'
    )
    text = re.sub(r"(?m)^count = 30 ", f"count = {producers} ", text)
    text = re.sub(r"(?m)^elected = 21 ", f"elected = {min(21, producers)} ", text)
    plain = bench.folder / f"{bench.name}.toml"
    plain.write_text(text)
    plain.write_text(text + "\n" + "\n\n".join(bench.nodes(one.account for one in load(plain).producers)))


@contextlib.contextmanager
def _running(script: Script) -> Iterator[None]:
    try:
        yield
    finally:
        script.close()


def _script(bench: Bench) -> tuple[Script, float]:
    """The script's run with the balances of the boot, and how many seconds it took."""
    with closing(StateFolder(bench.folder / ".coord", bench.name)) as state:
        sealed = state.sealed
        assert sealed is not None  # noqa: S101 (it was booted)
        rows = list(Allocation(state.artifacts.get(sealed.allocation)))
    with tempfile.TemporaryDirectory(prefix="bench-script-") as folder:
        script = Script(Path(folder), sealed, rows)
        with _running(script):
            began = time.monotonic()
            script.run()
            return script, time.monotonic() - began


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.tutorial")
    parser.add_argument("--users", type=int, default=3000)
    parser.add_argument("--producers", type=int, default=30)
    options = parser.parse_args()
    return show(run(say, options.users, options.producers))


if __name__ == "__main__":
    sys.exit(main())
