"""Starting one nodeos once, and making sure that it runs the right chain; stopping it."""

from __future__ import annotations

import asyncio
import errno
import shutil
import socket
from dataclasses import dataclass

from agent.errors import (
    BadConfiguration,
    DamagedBlocks,
    DiskFull,
    FolderInUse,
    NodeFault,
    OtherChain,
    PortTaken,
    Unfinished,
)
from agent.nodeos.environment import environment
from agent.nodeos.spec import NodeSpec
from agent.nodes.failure import explain
from agent.nodes.folder import NodeFolder
from antelope.errors import NodeError
from antelope.http import NodeClient
from support import node_processes, nodelogs, processes
from support.endpoint import Endpoint
from support.processes import Process, StillRunningError
from support.retry import DeadlineError, poll

READY_SECONDS = 60.0
"""Seconds from the start to the first answer. An idle machine takes half a second."""
LEAST_SPACE = 300 * 1024 * 1024
"""Bytes free that a node needs to start at all: a fresh one takes 18 MB, a busy day of an idle chain about 100 MB."""


HARD_REPLAY = "--hard-replay-blockchain"
"""nodeos' own: copies the blocks that it can read into a new log, with a new index, and builds the state from them."""
STATE_FILE = "shared_memory.bin"


@dataclass(frozen=True)
class Launch:
    """All that is needed to start a node, once its files are written."""

    folder: NodeFolder
    command: tuple[str, ...]
    spec: NodeSpec
    chain_id: str
    whole: bool = True
    """It must have every block that it had."""
    fresh: bool = False
    """The snapshot that it begins with was checked just now."""
    meant: bool = False
    """It is already on record as meant to run, and stays so if this start fails."""

    @property
    def url(self) -> str:
        """The URL of its HTTP API."""
        return f"http://127.0.0.1:{self.spec.http_port}"


def check_room(launch: Launch) -> None:
    """Raises PortTaken, FolderInUse or DiskFull if a start would fail."""
    check_ports(launch.spec)
    if launch.folder.owned():
        raise FolderInUse(
            f"node {launch.spec.name}: another process has {launch.folder.data} open: stop that one first"
        )
    check_space(launch.folder)


def check_ports(spec: NodeSpec, has: NodeSpec | None = None) -> None:
    """Raises PortTaken if another process listens where this node would.

    has: how it runs now. Its own ports count as free, also at another address (127.0.0.1 before, 0.0.0.0 now).
    """
    own = {endpoint.port for endpoint in _endpoints(has)} if has else set()
    for endpoint in _endpoints(spec):
        if endpoint.port not in own and not _free(endpoint):
            raise PortTaken(
                f"node {spec.name}: port {endpoint} is taken: stop what listens there, or choose another port"
            )


def _endpoints(spec: NodeSpec) -> tuple[Endpoint, ...]:
    served = (spec.p2p_bind, spec.api, spec.history)
    return Endpoint("127.0.0.1", spec.http_port), *(Endpoint.parse(one) for one in served if one)


def check_space(folder: NodeFolder) -> None:
    """Raises DiskFull if a node would not start there."""
    free = shutil.disk_usage(folder.path).free
    if free < LEAST_SPACE:
        raise DiskFull(
            f"node {folder.name}: its disk is full: {free >> 20} MB are free at {folder.path}, {LEAST_SPACE >> 20} MB "
            "needed; free some space there"
        )


async def start(launch: Launch, deadline: float = READY_SECONDS) -> Process:
    """Starts the node once and waits, deadline seconds at most, until it answers for the right chain.

    Raises NodeFault; then it does not run.
    """
    folder, command = launch.folder, launch.command
    if folder.beginning and (HARD_REPLAY in command or not (folder.state / STATE_FILE).exists()):
        if not launch.fresh and not await asyncio.to_thread(folder.begun_from.intact):
            raise DamagedBlocks(f"node {launch.spec.name}: {folder.beginning}, with which it began, is damaged")
        command = folder.begun_from.command(command)
        deadline += folder.begun_from.seconds
    try:
        folder.log.begin(command)
        process = processes.start(
            command, output=folder.log.path, folder=folder.path, environment=environment(folder.path)
        )
    except OSError as error:
        raise NodeFault(f"node {launch.spec.name}: cannot start {launch.command[0]}: {error.strerror}") from error
    folder.remember(process)
    nodelogs.ensure(folder.path.parent.parent)
    try:
        await _answers(launch, process, deadline)
    except NodeFault:
        await halt(folder)
        if not launch.meant:
            folder.forget()
        if not folder.begun:  # the incomplete files of a failed first start would keep the next one from starting
            await asyncio.to_thread(folder.drop_chain)
        raise
    return process


async def halt(folder: NodeFolder) -> None:
    """Stops every process of a node with SIGTERM. Raises NodeFault when one of them does not end."""
    try:
        await asyncio.to_thread(node_processes.stop_node, folder.path)
    except (StillRunningError, PermissionError) as error:
        raise NodeFault(f"node {folder.name}: {error}") from error


async def check_unused(folder: NodeFolder) -> None:
    """Raises FolderInUse when another process has its data open, so that it does not count as stopped."""
    try:
        await asyncio.to_thread(node_processes.check_unused, folder.path)
    except StillRunningError as error:
        raise FolderInUse(f"node {folder.name}: {error}") from error


async def _answers(launch: Launch, process: Process, deadline: float) -> None:
    name = launch.spec.name
    known = launch.folder.known if launch.whole else 0

    async def ready() -> bool:
        if not process.alive:
            raise _ended(launch, process)
        try:
            info = await node.get_info()
        except NodeError:
            return False
        if info.chain_id != launch.chain_id:
            raise OtherChain(
                f"node {name} runs chain {info.chain_id[:16]}…, the sealed one is {launch.chain_id[:16]}…: "
                f"{launch.folder.data} is another network's"
            )
        if info.head_block_num < known:
            raise DamagedBlocks(f"node {name}: only {info.head_block_num} of its {known} blocks can be read")
        if process.alive:
            launch.folder.note_reached(info.last_irreversible_block_num)
        return process.alive

    async with NodeClient(launch.url, timeout=5.0) as node:
        try:
            await poll(ready, what=f"node {name} to answer", deadline=deadline, every=0.05)
        except DeadlineError as error:
            raise Unfinished(f"node {name} does not answer {deadline:g} s after its start: see its log") from error


def _ended(launch: Launch, process: Process) -> NodeFault:
    """Why it is no longer alive."""
    folder = launch.folder
    if process.ended == 0 and (left := node_processes.family(folder.path)):
        return BadConfiguration(
            f"node {launch.spec.name}: {launch.command[0]} ended and left process {left[0].pid} ({left[0].name}) "
            'behind: a script in nodeos\' place must end as nodeos does, by `exec nodeos "$@"`'
        )
    log = folder.log.last_run().replace(node_processes.HERE, str(folder.path))
    return explain(launch.spec.name, log, process.ended)


def _free(endpoint: Endpoint) -> bool:
    """Whether the port is free. True as well if only nodeos can tell (a host name, another address)."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
            probe.listen(1)
        except OSError as error:
            return not isinstance(error, PermissionError) and error.errno != errno.EADDRINUSE
    return True
