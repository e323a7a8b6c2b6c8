"""The yardstick of an allocation: the same nodeos replays the same blocks, without peers or clients."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.harness import BenchError
from bench.network import free_port
from bench.watching import cpu_seconds
from support import bundled

SECONDS = 1200.0
_DONE = re.compile(r"replayed (\d+) blocks in \d+ seconds, ([\d.]+) ms/block")


@dataclass(frozen=True)
class Replay:
    """How long it took."""

    blocks: int
    seconds: float
    """As nodeos itself reports it: without its start and the first compilation of the contracts."""
    cpu: float
    """Seconds of CPU, including the start."""
    main: float
    """The same, of its main thread only."""


def replay(blocks: Path, folder: Path) -> Replay:
    """Replays a node's blocks (its data/blocks; the node must not run) in an empty folder. Raises BenchError."""
    shutil.copytree(blocks, folder / "data" / "blocks", ignore=shutil.ignore_patterns("reversible"))
    settings = (
        "plugin = eosio::chain_plugin", "plugin = eosio::http_plugin", "plugin = eosio::chain_api_plugin",
        f"http-server-address = 127.0.0.1:{free_port()}", "chain-state-db-size-mb = 4096",
        "resource-monitor-not-shutdown-on-threshold-exceeded = true",
    )  # fmt: skip
    (folder / "config.ini").write_text("\n".join(settings) + "\n")
    places = ("--config-dir", str(folder), "--data-dir", str(folder / "data"))
    log = folder / "nodeos.log"
    with log.open("wb") as out, _running([*bundled.fetch().command("nodeos"), *places], out.fileno()) as process:
        deadline = time.monotonic() + SECONDS
        while not (done := _DONE.search(log.read_text(errors="replace"))):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError("the replay did not end:\n" + "\n".join(log.read_text().splitlines()[-5:]))
            time.sleep(0.1)
        own = Path(f"/proc/{process.pid}")
        cpu, main = cpu_seconds(own), cpu_seconds(own / "task" / own.name)
    return Replay(int(done[1]), int(done[1]) * float(done[2]) / 1000, cpu, main)


@contextlib.contextmanager
def _running(command: list[str], output: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
