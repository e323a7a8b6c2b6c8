"""Runs a nodeos on a private chain that is deleted afterwards, to find out what it can do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.errors import NodeosError
from agent.nodeos.config import places
from agent.nodeos.environment import environment
from antelope.http import NodeClient
from antelope.keys import PublicKey
from boot.settings import PLUGINS
from support import node_processes, processes
from support.files import write_atomic
from support.nodewords import Said
from support.processes import Process
from support.retry import DeadlineError, poll

START_SECONDS = 30.0


@dataclass(frozen=True)
class Throwaway:
    """A nodeos that was started."""

    binary: str
    client: NodeClient
    process: Process
    log: Path

    async def answers(self) -> None:
        """Returns once it answers. Raises NodeosError if it ends or does not answer."""

        async def up() -> bool:
            if not self.process.alive:
                raise NodeosError(f"{self.binary} ends when it is started: {self.said}")
            return await self.client.is_up()

        try:
            await poll(up, what=f"{self.binary} to answer", deadline=START_SECONDS, every=0.05)
        except DeadlineError as error:
            raise NodeosError(f"{self.binary} does not answer: {self.said}") from error

    @property
    def said(self) -> str:
        """The log line that explains why it ended."""
        return Said.of(self.log.read_text(encoding="utf-8", errors="replace")).explanation or self._signal

    @property
    def _signal(self) -> str:
        ended = self.process.ended
        return f"a signal ended it ({signal.Signals(-ended).name})" if ended and ended < 0 else "it does not say why"


@asynccontextmanager
async def throwaway(
    command: Sequence[str],
    options: Collection[str],
    folder: Path,
    key: PublicKey,
    settings: Iterable[tuple[str, str]] = (),
) -> AsyncIterator[Throwaway]:
    """Starts it in a scratch folder below folder, on free loopback ports. It is stopped in any case.

    options: its known options. key: eosio's key on this chain. settings: further lines of config.ini. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = Path(tempfile.mkdtemp(prefix=".probe-", dir=folder))
    http, p2p = free_ports(2)
    lines = [("plugin", f"eosio::{plugin}_plugin") for plugin in PLUGINS]
    lines += [("http-server-address", f"127.0.0.1:{http}"), ("p2p-listen-endpoint", f"127.0.0.1:{p2p}"), *settings]
    if "resource-monitor-not-shutdown-on-threshold-exceeded" in options:
        lines.append(("resource-monitor-not-shutdown-on-threshold-exceeded", "true"))
    # nodeos runs what this compiles from its data folder. Without read-only-threads, the option has other values.
    known = {"eos-vm-oc-enable", "read-only-threads"} <= set(options)
    if known and os.statvfs(scratch).f_flag & os.ST_NOEXEC and "eos-vm-oc-enable" not in dict(lines):
        lines.append(("eos-vm-oc-enable", "none"))
    config = "".join(f"{name} = {value}\n" for name, value in lines)
    write_atomic(scratch / "config.ini", config.encode(), 0o600)
    write_atomic(scratch / "genesis.json", json.dumps(_genesis(key)).encode())
    log = scratch / "log"
    process = processes.start(
        (*command, *places(scratch)), output=log, folder=scratch, environment=environment(scratch)
    )
    process.write(scratch / node_processes.RECORD)
    try:
        async with NodeClient(f"http://127.0.0.1:{http}", timeout=5.0) as client:
            yield Throwaway(command[0], client, process, log)
    finally:
        await asyncio.to_thread(node_processes.stop_node, scratch)
        shutil.rmtree(scratch, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that are free on loopback now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(server.getsockname()[1]) for server in sockets]
    finally:
        for server in sockets:
            server.close()


def _genesis(key: PublicKey) -> dict[str, Any]:
    """nodeos fills in the limits that are left out."""
    return {"initial_timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000"), "initial_key": str(key)}
