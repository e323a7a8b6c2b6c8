"""Starting one nodeos and making sure that it runs the right chain; building its state again after a crash."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import socket
from dataclasses import dataclass, replace

from agent.errors import (
    DirtyDatabase,
    DiskFull,
    FolderInUse,
    NodeFault,
    NotAnswering,
    OtherChain,
    PortTaken,
    Unfinished,
)
from agent.nodeos.config import STALE_PRODUCTION
from agent.nodeos.spec import NodeSpec
from agent.nodes.failure import explain
from agent.nodes.folder import NodeFolder
from antelope.errors import NodeError
from antelope.http import NodeClient
from support import nodelogs, processes
from support.endpoint import Endpoint
from support.processes import Process, StillRunningError
from support.retry import DeadlineError, poll

log = logging.getLogger(__name__)

READY_SECONDS = 60.0
"""From the start to the first answer; it takes half a second on an idle machine."""
REPLAY_SECONDS = 1800.0
"""The same with a replay of all blocks: about 80 s per million accounts created."""
PEERS_SECONDS = 20.0
"""How long a crashed node that produces alone waits for the blocks that its peers still have."""
LEAST_SPACE = 300 * 1024 * 1024
"""Bytes free that a node needs to start at all: a fresh one takes 18 MB, a busy day of an idle chain about 100 MB."""


@dataclass(frozen=True)
class Launch:
    """All that is needed to start a node, once its files are written."""

    folder: NodeFolder
    command: tuple[str, ...]
    spec: NodeSpec
    chain_id: str
    keep_blocks: bool
    """Its blocks may be the only ones (the genesis node): never removed."""
    meant: bool = False
    """It is on record as meant to run, and stays so when this start fails."""

    @property
    def url(self) -> str:
        """Of its HTTP API."""
        return f"http://127.0.0.1:{self.spec.http_port}"


def check_room(launch: Launch) -> None:
    """Raises PortTaken, FolderInUse or DiskFull when the node could only fail."""
    name = launch.spec.name
    endpoints = (Endpoint("127.0.0.1", launch.spec.http_port), Endpoint.parse(launch.spec.p2p_bind))
    for endpoint in endpoints:
        if not _free(endpoint):
            raise PortTaken(f"node {name}: port {endpoint} is taken: stop what listens there, or choose another port")
    if launch.folder.owned():
        raise FolderInUse(f"node {name}: another process has {launch.folder.data} open: stop that one first")
    free = shutil.disk_usage(launch.folder.path).free
    if free < LEAST_SPACE:
        raise DiskFull(
            f"node {name}: its disk is full: {free >> 20} MB are free at {launch.folder.path}, {LEAST_SPACE >> 20} MB "
            "needed; free some space there"
        )


async def bring_up(launch: Launch) -> Process:
    """Starts the node; after a crash it rebuilds its state from its blocks, or, where peers have them, fetches those.

    The process is on record from its first moment. Raises NodeFault; then nothing runs.
    """
    folder = launch.folder
    if not folder.recovering:
        try:
            return await start(launch)
        except DirtyDatabase as fault:
            log.warning("%s; replaying its blocks", fault)
    folder.begin_recovery()
    await asyncio.to_thread(folder.drop_state)
    try:
        if STALE_PRODUCTION in launch.command and launch.spec.peers:
            await _recover_from_peers(launch)
        process = await start(launch, REPLAY_SECONDS)
        folder.end_recovery()
        return process
    except Unfinished:
        raise  # the next start replays again: nothing says that its blocks are bad
    except (DirtyDatabase, NotAnswering) as fault:
        if launch.keep_blocks or not launch.spec.peers:
            raise NodeFault(
                f"{fault}: its blocks cannot be replayed; they are kept in {folder.data / 'blocks'}: "
                "try nodeos --hard-replay-blockchain by hand"
            ) from fault
        log.warning("%s; fetching all blocks from its peers again", fault)
    await asyncio.to_thread(folder.drop_chain)
    process = await start(launch)
    folder.end_recovery()
    return process


async def _recover_from_peers(launch: Launch) -> None:
    """Runs the node without stale production until it has every block that its peers have, and stops it again.

    A crash loses the blocks that are not irreversible yet. A node that produces alone would at once make others at the
    same heights; its peers still have the first ones.
    """
    command = tuple(part for part in launch.command if part != STALE_PRODUCTION)

    async def level() -> bool:
        links = [link for link in await node.connections() if link.handshaken]
        info = await node.get_info()
        return bool(links) and all(link.head_num <= info.head_block_num for link in links)

    try:
        await start(replace(launch, command=command), REPLAY_SECONDS)
        async with NodeClient(launch.url, timeout=5.0) as node:
            await poll(level, what="the peers' blocks", deadline=PEERS_SECONDS)
    except (DeadlineError, NodeError) as error:
        log.warning("node %s: no peer has later blocks, or none answers (%s)", launch.spec.name, error)
    finally:
        if process := launch.folder.process:  # a task that is cancelled here must not leave it running like this
            await halt(launch.folder.name, process)


async def start(launch: Launch, deadline: float = READY_SECONDS) -> Process:
    """Starts the node once and waits, deadline seconds at most, until it answers for the right chain.

    Raises NodeFault; then it does not run.
    """
    folder = launch.folder
    try:
        folder.begin_log(launch.command)
        process = processes.start(
            launch.command, output=folder.log, folder=folder.path, environment=_environment(folder)
        )
    except OSError as error:
        raise NodeFault(f"node {folder.name}: cannot start {launch.command[0]}: {error.strerror}") from error
    folder.remember(process)
    nodelogs.ensure(folder.path.parent.parent)
    try:
        await _answers(launch, process, deadline)
    except NodeFault:
        await halt(folder.name, process)
        if not launch.meant:
            folder.forget()
        raise
    return process


async def halt(name: str, process: Process) -> None:
    """Stops a node's process with SIGTERM. Raises NodeFault when it does not end."""
    try:
        await asyncio.to_thread(processes.stop, process)
    except (StillRunningError, PermissionError) as error:
        raise NodeFault(f"node {name}: {error}") from error


async def _answers(launch: Launch, process: Process, deadline: float) -> None:
    name = launch.spec.name

    async def ready() -> bool:
        if not process.alive:
            raise explain(name, launch.folder.last_run())
        try:
            info = await node.get_info()
        except NodeError:
            return False
        if info.chain_id != launch.chain_id:
            raise OtherChain(
                f"node {name} runs chain {info.chain_id[:16]}…, the sealed one is {launch.chain_id[:16]}…: "
                f"{launch.folder.data} is another network's"
            )
        return process.alive

    async with NodeClient(launch.url, timeout=5.0) as node:
        try:
            await poll(ready, what=f"node {name} to answer", deadline=deadline, every=0.05)
        except DeadlineError as error:
            raise Unfinished(f"node {name} does not answer {deadline:g} s after its start: see its log") from error


def _environment(folder: NodeFolder) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(folder.path), "LANG": "C.UTF-8"}


def _free(endpoint: Endpoint) -> bool:
    """Whether one can listen there; true as well where only nodeos itself can tell (a name, another address)."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
            probe.listen(1)
        except OSError as error:
            return not isinstance(error, PermissionError) and error.errno != errno.EADDRINUSE
    return True
