"""The lower bound of joining from a snapshot: the same nodeos loads the same file while nothing else runs."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench.harness import BenchError
from bench.network import free_port
from support import bundled

SECONDS = 300.0
LOOK_SECONDS = 0.02


def load_seconds(snapshot: Path, count: int, folder: Path) -> float:
    """Seconds until this many nodes have loaded it and answer; one per core loads at a time. Raises BenchError."""
    cores = os.cpu_count() or 1
    began = time.monotonic()
    with ExitStack() as running, ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda number: _start(snapshot, folder / f"node{number}", running), range(count)))
        return time.monotonic() - began


def _start(snapshot: Path, folder: Path, running: ExitStack) -> None:
    """Starts a node and waits until it answers. It keeps running until all have answered, as joining nodes do."""
    folder.mkdir(parents=True)
    port = free_port()
    options = ["--config-dir", str(folder), "--data-dir", str(folder / "data"), "--snapshot", str(snapshot)]
    options += ["--http-server-address", f"127.0.0.1:{port}", "--p2p-listen-endpoint", f"127.0.0.1:{free_port()}"]
    options += ["--resource-monitor-not-shutdown-on-threshold-exceeded", "--chain-state-db-size-mb", "4096"]
    for plugin in ("chain", "http", "chain_api", "net"):
        options += ["--plugin", f"eosio::{plugin}_plugin"]
    log = folder / "nodeos.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*bundled.fetch().command("nodeos"), *options], stdout=out, stderr=out)
    running.callback(process.wait, 60)
    running.callback(process.terminate)
    deadline = time.monotonic() + SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError("nodeos did not load the snapshot:\n" + "\n".join(log.read_text().splitlines()[-5:]))
        time.sleep(LOOK_SECONDS)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/chain/get_info", b"{}", timeout=10).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
