"""The agent's process: one per data folder, dialling the coordinator for as long as it lives."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import os
import shutil
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from agent.config import AgentConfig, ConfigError, DataFolder
from agent.duties import MODES, Duties
from agent.keys import KeyStore
from agent.keys.keosd import Keosd
from agent.nodes.errors import UnknownNode
from agent.nodes.state import NodeStatus
from agent.nodes.supervisor import Nodes
from agent.queries import Queries
from agent.renewal import Renewal
from agent.session import Credentials, Refused, Send, Session, SessionEnded
from agent.starting import watch_outages
from agent.tasks import Memory, Tasks
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.locks import FileLock
from support.processes import Process
from support.retry import retrying
from support.tasks import end
from support.tls import Kind, TlsError

log = logging.getLogger(__name__)

LONGEST_PAUSE = 2.0
"""Seconds between two dials, at most."""
LOCAL_PAUSE = 1.0
"""The same on the operator's own machine, where a person waits for every command that looks."""
RENEWAL_SECONDS = 3600.0
"""Between two looks, in one session, at whether the agent's certificate is to be renewed; a new session looks, too."""
LASTING = 5.0
"""Seconds after which a session that ended counts as one that went well: the next dial is at once."""


class Agent:
    """Everything of one data folder, put together. It is the Work of its sessions."""

    def __init__(
        self,
        folder: DataFolder,
        config: AgentConfig,
        journal: Journal,
        make: Callable[..., Duties] = Duties,
        keosd: Keosd | None = None,
    ) -> None:
        """Opens what it needs; `open` begins to watch the nodes.

        make: the duties, from what Duties takes. keosd: has keys that are not in the store.
        """
        self._folder = folder
        self._config = config
        self._session: Session | None = None
        self._credentials: Credentials | None = None
        self._renewal = Renewal(folder, config)
        self._met = asyncio.Event()
        self.keys = KeyStore(folder.keys, keosd)
        memory = Memory(journal)
        self.nodes = Nodes(folder.path, self.keys.signer, local=config.local)
        artifacts = ArtifactStore(folder.artifacts)
        self._duties = make(config, self.nodes, self.keys, artifacts, journal, memory, self._fetch)
        self._tasks = Tasks(memory, self._duties.carry_out)
        self._queries = Queries(self._http_port)

    async def run(self, credentials: Credentials) -> None:
        """All that the agent does by itself, until it is cancelled. Raises Refused."""
        await together(self.dial(credentials), kept_up(lambda: watch_outages(self.nodes, self._duties.producers)))

    async def dial(self, credentials: Credentials) -> None:
        """Serves one coordinator after another, until it is cancelled. Raises Refused."""
        self._credentials = credentials
        await together(self._dial(), kept_up(self._renew))

    async def _renew(self) -> None:
        """Has the certificate followed by another in good time: a coordinator may be there for seconds in months."""
        while True:
            self._met.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self._met.wait()
            if self._session is None or not self._renewal.due:
                continue
            try:
                until = self._renewal.keep(await self._session.renew(self._renewal.request()))
                self._credentials = read_credentials(self._folder, self._config)
                log.info("the certificate is renewed: it is good until %s", f"{until:%Y-%m-%d}")
            except (SessionEnded, TlsError, ConfigError, OSError) as error:
                log.warning("the certificate is not renewed yet: %s", error)

    async def _dial(self) -> None:
        told = ""
        coordinators = itertools.cycle((self._config.coordinator, *self._config.others))

        def trouble(error: BaseException) -> None:
            nonlocal told
            if str(error) != told:
                told = str(error)
                log.warning("%s; dialling again", told)

        async def once() -> None:
            nonlocal told
            coordinator = next(coordinators)
            assert self._credentials  # noqa: S101 (`dial` was given them)
            session = self._session = Session(coordinator, self._credentials, self)
            joined_at = math.inf

            def joined(welcome: pb.Welcome) -> None:
                nonlocal joined_at, told
                joined_at, told = time.monotonic(), ""
                log.info("connected to %s, epoch %d", coordinator, welcome.epoch)

            try:
                await session.run(joined)
            except SessionEnded as error:
                if isinstance(error, Refused) or time.monotonic() - joined_at < LASTING:
                    raise
                trouble(error)

        pause = LOCAL_PAUSE if self._config.local else LONGEST_PAUSE
        while True:
            await retrying(once, on=_temporary, deadline=math.inf, first=0.1, most=pause, before_retry=trouble)

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
        self._met.set()

    def parted(self) -> None:
        """The connection is over."""
        self._tasks.parted()

    def accept(self, task: pb.Task) -> None:
        """A task came."""
        self._tasks.accept(task)

    def admitted(self, admission: pb.Admission) -> None:
        """Nothing to do: only parties register, and are told whether they are admitted."""

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
    credentials = read_credentials(folder, config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with FileLock(folder.lock):
        Process.of(os.getpid()).write(folder.record)
        journal = Journal(folder.journal)
        agent = _make(folder, config, journal)
        try:
            await agent.nodes.open()
            log.info("agent of %s in network %s, process %d", config.name, config.network, os.getpid())
            await together(agent.run(credentials), stop.wait())
        finally:
            await agent.close()
            journal.close()
            folder.record.unlink(missing_ok=True)
            log.info("agent ends; its nodes run on")


def _make(folder: DataFolder, config: AgentConfig, journal: Journal) -> Agent:
    if config.kind is Kind.PARTY:
        from agent.party.agent import PartyAgent  # it is an Agent, and hence imports this file

        return PartyAgent(folder, config, journal)
    return Agent(folder, config, journal)


async def kept_up(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Does it again after any failure: what an agent does beside its tasks must not end it."""

    def failed(error: BaseException) -> None:
        log.error("a fault of this agent", exc_info=error)

    await retrying(work, on=Exception, deadline=math.inf, first=1.0, most=30.0, before_retry=failed)


async def together(*works: Coroutine[None, None, object]) -> None:
    """Runs them all until the first of them ends, and raises what that raises."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        await end(*tasks)


def _temporary(error: BaseException) -> bool:
    return isinstance(error, SessionEnded) and not isinstance(error, Refused)


def read_credentials(folder: DataFolder, config: AgentConfig) -> Credentials:
    """What the agent authenticates with, and the CA that it trusts. Raises ConfigError when a file is missing."""
    paths = (folder.key, folder.certificate, Path(folder.path, config.ca))
    try:
        return Credentials(*(path.read_bytes() for path in paths))
    except FileNotFoundError as error:
        raise ConfigError(f"{error.filename} is missing: run `agent enrol`, then `agent admit`") from error


def _status(node: NodeStatus) -> pb.NodeStatus:
    return pb.NodeStatus(
        name=node.name,
        state=node.state.value,
        mode=MODES[node.mode],
        head=node.head,
        lib=node.lib,
        peers=node.peers,
        detail=node.detail,
        lasting=node.lasting,
    )
