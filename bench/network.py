"""A network for a benchmark: on this machine, with free ports, driven by `coord` as a user types it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import secrets
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.harness import BenchError
from coordinator.state.folder import JOURNAL

COORD = Path(sys.executable).with_name("coord")
FIRST_PORT, PORTS = 29_000, 1000
"""Below the kernel's ephemeral ports, and apart from the ports of tests."""

_GIVEN: set[int] = set()


def free_port() -> int:
    """A port on loopback that nothing listens on; a different one at each call."""
    while True:
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as probe:
            if port not in _GIVEN and probe.connect_ex(("127.0.0.1", port)):
                _GIVEN.add(port)
                return port


@dataclass
class Bench:
    """A network's folder and inventory."""

    folder: Path
    name: str
    http_port: int = field(default_factory=free_port)
    """The genesis node's HTTP port."""

    @property
    def state(self) -> Path:
        """The network's folder in coord's state folder."""
        return self.folder / ".coord" / self.name

    @property
    def genesis(self) -> Path:
        """The genesis node's folder."""
        return self.state / "hosts" / "local" / "nodes" / "genesis"

    def write(self, text: str, producers: int = 1) -> None:
        """Writes the inventory: the text, and nodes on free ports."""
        lines = [f'[network]\nname = "{self.name}"', f"[producers]\ncount = {producers}", text]
        lines += self.nodes(f"defproducer{chr(97 + number)}" for number in range(producers))
        (self.folder / f"{self.name}.toml").write_text("\n\n".join(lines) + "\n")

    def nodes(self, accounts: Iterable[str]) -> Iterator[str]:
        """The inventory's entries for the genesis node and these producers', on free ports."""
        yield f'[[nodes]]\nrole = "genesis"\np2p_port = {free_port()}\nhttp_port = {self.http_port}'
        for account in accounts:
            yield f'[[nodes]]\naccount = "{account}"\np2p_port = {free_port()}\nhttp_port = {free_port()}'

    def coord_cpu(self, command: str, *options: str) -> float:
        """The same as `coord`, and returns the seconds of CPU that it took."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.coord(command, *options)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def coord(self, command: str, *options: str) -> str:
        """Runs `coord COMMAND INVENTORY OPTIONS` to its end, and returns its output. Raises BenchError."""
        words = [str(COORD), command, f"{self.name}.toml", *options]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()[-12:]
            raise BenchError(f"coord {command} ended with status {done.returncode}:\n" + "\n".join(said))
        return done.stdout

    def step_seconds(self, step: str) -> float:
        """How long a step took, in seconds, according to `coord status`."""
        document = json.loads(self.coord("status", "--json"))
        return float(next(one["seconds"] for one in document["steps"] if one["name"] == step))

    def ask(self, path: str, body: object, port: int = 0) -> Any:
        """The answer of the genesis node (or the node at that port) to a call of the chain API. Raises OSError."""
        url = f"http://127.0.0.1:{port or self.http_port}/v1/chain/{path}"
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
            return json.load(answer)

    def block_of(self, step: str, key: str) -> int:
        """The block that holds that transaction, from the coordinator's journal. Raises BenchError."""
        with contextlib.closing(sqlite3.connect(self.state / JOURNAL)) as journal:
            found = journal.execute("SELECT block FROM pushed WHERE step = ? AND key = ?", (step, key)).fetchone()
        if found is None:
            raise BenchError(f"no block is known of {step} {key}")
        return int(found[0])

    def kind(self, command: str) -> str:
        """The kind of a process of this network by its command line: nodeos, agent, coord; empty for others."""
        words = command.split()
        if str(self.state) in command:
            return "nodeos" if "--data-dir" in words else "agent" if "serve" in words else ""
        return "coord" if f"{self.name}.toml" in words else ""


@contextlib.contextmanager
def bench_network(name: str, keep: Path | None = None) -> Iterator[Bench]:
    """A network in a temporary folder, purged when the block ends. keep: a folder to use and keep instead."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"bench-{name}-")))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, f"{name}{os.getpid()}")
        try:
            yield bench
        finally:
            if bench.state.exists():
                bench.coord("down", *([] if keep else ["--purge", "--yes"]))
