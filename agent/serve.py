"""The agent's process: one per data folder, dialling the coordinator for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import shutil
import signal
import time
from collections.abc import Coroutine
from pathlib import Path

from agent.config import AgentConfig, ConfigError, DataFolder
from agent.duties import Duties
from agent.keys import KeyStore
from agent.nodes.errors import UnknownNode
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from agent.queries import Queries
from agent.session import Credentials, Refused, Send, Session, SessionEnded
from agent.tasks import Memory, Tasks
from boot.step import NodeMode
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.locks import FileLock
from support.processes import Process
from support.retry import retrying

log = logging.getLogger(__name__)

LONGEST_PAUSE = 2.0
"""Seconds between two dials, at most."""
LASTING = 5.0
"""Seconds after which a session that ended counts as one that went well: the next dial is at once."""

_MODES = {
    NodeMode.GENESIS: pb.MODE_GENESIS,
    NodeMode.NORMAL: pb.MODE_NORMAL,
    NodeMode.STARTER: pb.MODE_STARTER,
    NodeMode.AUDIT: pb.MODE_AUDIT,
}


class Agent:
    """Everything of one data folder, put together. It is the Work of its sessions."""

    def __init__(self, folder: DataFolder, config: AgentConfig, journal: Journal) -> None:
        """Opens what it needs; `open` begins to watch the nodes."""
        self._folder = folder
        self._config = config
        self._session: Session | None = None
        keys = KeyStore(folder.keys)
        memory = Memory(journal)
        self.nodes = Nodes(folder.path, keys.signer, local=config.local)
        artifacts = ArtifactStore(folder.artifacts)
        self._duties = Duties(config, self.nodes, keys, artifacts, journal, memory, self._fetch)
        self._tasks = Tasks(memory, self._duties.carry_out)
        self._queries = Queries(self._http_port)

    async def dial(self, credentials: Credentials) -> None:
        """Serves one coordinator after another, until it is cancelled. Raises Refused."""
        told = ""

        def trouble(error: BaseException) -> None:
            nonlocal told
            if str(error) != told:
                told = str(error)
                log.warning("%s; dialling again", told)

        async def once() -> None:
            nonlocal told
            session = self._session = Session(self._config.coordinator, credentials, self)
            joined_at = math.inf

            def joined(welcome: pb.Welcome) -> None:
                nonlocal joined_at, told
                joined_at, told = time.monotonic(), ""
                log.info("connected to %s, epoch %d", self._config.coordinator, welcome.epoch)

            try:
                await session.run(joined)
            except SessionEnded as error:
                if isinstance(error, Refused) or time.monotonic() - joined_at < LASTING:
                    raise
                trouble(error)

        while True:
            await retrying(once, on=_temporary, deadline=math.inf, first=0.1, most=LONGEST_PAUSE, before_retry=trouble)

    async def close(self) -> None:
        """Stops tasks and watching; nodes run on."""
        await self._tasks.close()
        await self._queries.close()
        await self.nodes.close()

    def hello(self) -> pb.Hello:
        """Who we are and what we hold."""
        return pb.Hello(epoch=self._tasks.epoch, instance=self._tasks.instance, manifest=self._duties.manifest)

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """A coordinator took us in."""
        self._tasks.welcome(welcome, send)

    def parted(self) -> None:
        """The connection is over."""
        self._tasks.parted()

    def accept(self, task: pb.Task) -> None:
        """A task came."""
        self._tasks.accept(task)

    async def answer(self, query: pb.Query) -> pb.Answer:
        """A query came."""
        return await self._queries.answer(query)

    async def status(self) -> pb.Status:
        """How the nodes are."""
        nodes = [_status(node) for node in await self.nodes.status()]
        return pb.Status(nodes=nodes, disk_free=shutil.disk_usage(self._folder.path).free)

    async def _fetch(self, sha256: str) -> bytes:
        if self._session is None:
            raise SessionEnded("not connected to the coordinator")
        return await self._session.fetch(sha256)

    def _http_port(self, name: str) -> int:
        try:
            return self.nodes.record(name).spec.http_port
        except UnknownNode as error:
            raise KeyError(name) from error


async def serve(folder: DataFolder) -> None:
    """Runs until SIGTERM or SIGINT. Raises ConfigError, LockedError, Refused, JournalError, OSError."""
    config = folder.read()
    credentials = _credentials(folder, config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with FileLock(folder.lock):
        Process.of(os.getpid()).write(folder.record)
        journal = Journal(folder.journal)
        agent = Agent(folder, config, journal)
        try:
            await agent.nodes.open()
            log.info("agent of %s in network %s, process %d", config.name, config.network, os.getpid())
            await _until(stop, agent.dial(credentials))
        finally:
            await agent.close()
            journal.close()
            folder.record.unlink(missing_ok=True)
            log.info("agent ends; its nodes run on")


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Runs the work until stop is set; raises what the work raises."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


def _temporary(error: BaseException) -> bool:
    return isinstance(error, SessionEnded) and not isinstance(error, Refused)


def _credentials(folder: DataFolder, config: AgentConfig) -> Credentials:
    paths = (folder.key, folder.certificate, Path(folder.path, config.ca))
    try:
        return Credentials(*(path.read_bytes() for path in paths))
    except FileNotFoundError as error:
        raise ConfigError(f"{error.filename} is missing: run `agent enrol`, then `agent admit`") from error


def _status(node: NodeStatus) -> pb.NodeStatus:
    return pb.NodeStatus(
        name=node.name,
        state=node.state.value,
        mode=_MODES[node.mode],
        pid=node.pid,
        head=node.head,
        lib=node.lib,
        peers=node.peers,
        detail=node.detail,
        head_time=node.head_time,
    )
