"""The remedies for a node whose files were torn or lost: each rebuilds the chain in one way."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path

from agent.errors import (
    DamagedBlocks,
    DiskFull,
    Unfinished,
)
from agent.nodeos.config import STALE_PRODUCTION
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import HARD_REPLAY, LEAST_SPACE, Launch, halt, start
from antelope.errors import NodeError
from antelope.http import NodeClient
from support import node_processes
from support.retry import DeadlineError, poll

log = logging.getLogger(__name__)

REPLAY_SECONDS = 1800.0
"""Seconds from the start to the first answer when it replays all blocks: about 80 s per million accounts created."""


PEERS_SECONDS = 20.0
"""How long a node that produces alone waits for a peer that has later blocks."""


FETCH_SECONDS = 600.0
"""Seconds that it may take to fetch them from that peer."""


class Remedy(Enum):
    """The remedies, cheapest first."""

    FEATURES = "writing its protocol features anew"
    FORKS = "doing without its reversible blocks"
    REPLAY = "a replay of its blocks"
    HARD_REPLAY = "a hard replay"
    FETCH = "fetching all blocks from its peers"
    STATE = "continuing from its state alone"


async def _features(launch: Launch) -> None:
    launch.folder.set_aside(launch.folder.path / "protocol_features")


async def _forks(launch: Launch) -> None:
    async with _without(launch, launch.folder.blocks / "reversible", launch.folder.state):
        await _rebuilt(launch, whole=True)


async def _replay(launch: Launch) -> None:
    async with _without(launch, launch.folder.state):
        await _rebuilt(launch, whole=True)


async def _hard_replay(launch: Launch) -> None:
    folder = launch.folder
    await asyncio.to_thread(_check_space, launch, folder.path)
    if node_processes.place(folder.path) == node_processes.HERE:
        await _hard_replay_elsewhere(launch)
        return
    try:
        async with _without(launch, folder.state):
            await _rebuilt(launch, HARD_REPLAY)
    except BaseException:
        await asyncio.to_thread(_undo_hard_replay, launch)
        raise
    place = await asyncio.to_thread(folder.set_aside, *_originals(launch))
    log.warning("node %s: its blocks as they were are in %s; remove that when it is not needed", folder.name, place)


async def _hard_replay_elsewhere(launch: Launch) -> None:
    """nodeos repairs no block log below a folder whose name it cannot read (seen): it repairs a copy, which then takes
    the log's place.
    """
    folder = launch.folder
    with tempfile.TemporaryDirectory(prefix="bootcoord-") as place:
        await asyncio.to_thread(_check_space, launch, Path(place))
        await asyncio.to_thread(shutil.copytree, folder.blocks, Path(place) / "blocks")
        where = launch.command.index("--data-dir") + 1
        command = (*launch.command[:where], place, *launch.command[where + 1 :])
        await _rebuilt(replace(launch, command=command), HARD_REPLAY)
        async with _without(launch, folder.blocks, folder.state, keep=True):
            await asyncio.to_thread(shutil.copytree, Path(place) / "blocks", folder.blocks)
            await _rebuilt(launch)


async def _fetch(launch: Launch) -> None:
    """Fetches everything from peers, once one of them shows that it has the chain: all may have lost it together.

    The genesis node waits until it has all; others go on fetching while they run. Where it began with a snapshot, it
    takes that again, if the file is whole, and the blocks since.
    """
    folder = launch.folder
    if folder.beginning and not await asyncio.to_thread(folder.begun_from.intact):
        log.warning("node %s: %s is damaged: it begins with the genesis", folder.name, folder.beginning)
        folder.begun_from.forget()
    least = max(2, folder.reached if folder.reached > 1 else folder.known)
    async with _without(launch, folder.data, keep=True):
        alone = STALE_PRODUCTION in launch.command
        if not await (_rebuilt(launch) if alone else _offered(launch, least)):
            raise Unfinished(
                f"node {folder.name}: none of its peers answers that has its blocks: start them first, or put a whole "
                f"copy of its chain into {folder.data}"
            )
        if not alone:
            folder.lower_reached(1)


async def _state(launch: Launch) -> None:
    """Used if no block log is available: the state and the reversible blocks, if undamaged, hold all balances."""
    blocks = launch.folder.blocks
    async with _without(launch, blocks / "blocks.log", blocks / "blocks.index", keep=True):
        await _rebuilt(launch, whole=True)


TRY = {
    Remedy.FEATURES: _features,
    Remedy.FORKS: _forks,
    Remedy.REPLAY: _replay,
    Remedy.HARD_REPLAY: _hard_replay,
    Remedy.FETCH: _fetch,
    Remedy.STATE: _state,
}


@asynccontextmanager
async def _without(launch: Launch, *paths: Path, keep: bool = False) -> AsyncIterator[None]:
    """Puts these aside while the block runs, and back when it fails. keep: they stay there when it does not."""
    folder = launch.folder
    place = await asyncio.to_thread(folder.set_aside, *paths, provisional=True)
    try:
        yield
    except BaseException:
        await asyncio.to_thread(folder.put_back)
        raise
    folder.keep_aside()
    if keep:
        log.warning("node %s: what was damaged is in %s; remove that when it is not needed", folder.name, place)
    else:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


async def _rebuilt(launch: Launch, *options: str, whole: bool = False) -> bool:
    """Lets nodeos rebuild its chain and stops it again; it may not produce meanwhile. Whether it is level with peers.

    A crash loses the blocks that are not irreversible yet. A node that produces alone would at once make others at the
    same heights; its peers still have the first ones. whole: raises DamagedBlocks when less of the chain is there than
    there was. Raises NodeFault.
    """
    folder, alone, known = launch.folder, STALE_PRODUCTION in launch.command, launch.folder.known
    command = tuple(part for part in launch.command if part != STALE_PRODUCTION) + options
    level = False
    try:
        await start(replace(launch, command=command, whole=False), REPLAY_SECONDS)
        async with NodeClient(launch.url, timeout=5.0) as node:
            if alone and launch.spec.peers:
                level = await _level(node, folder, known)
            head = (await node.get_info()).head_block_num
    except NodeError as error:
        raise Unfinished(f"node {folder.name} stopped answering: {error}") from error
    finally:
        await halt(folder)  # a task that is cancelled here must not leave it running like this
    if whole and not level and head < known:
        raise DamagedBlocks(f"node {folder.name}: only {head} of its {known} blocks can be read")
    if not alone and head <= 1 < known:
        raise DamagedBlocks(f"node {folder.name}: nothing is left of its {known} blocks")
    if alone and not level:
        _check_left(launch, head, known)
    if head < known:
        folder.lower_reached(head)
    return level


async def _offered(launch: Launch, least: int) -> bool:
    """Whether a peer of this node, which runs for that long without a chain of its own, has this block. Raises
    NodeFault.
    """
    async with NodeClient(launch.url, timeout=5.0) as node:

        async def look() -> bool:
            return any(link.handshaken and link.head_num >= least for link in await node.connections())

        try:
            await start(replace(launch, whole=False))
            return await poll(look, what=f"a peer that has block {least}", deadline=PEERS_SECONDS)
        except (DeadlineError, NodeError) as error:
            log.warning("node %s: its peers: %s", launch.folder.name, error)
            return False
        finally:
            await halt(launch.folder)


async def _level(node: NodeClient, folder: NodeFolder, known: int) -> bool:
    """Waits until it has every block that its peers have; false when no peer has later ones, or none answers."""
    loop = asyncio.get_running_loop()
    helped = loop.time()

    async def look() -> str:
        nonlocal helped
        links = [link for link in await node.connections() if link.handshaken]
        head = (await node.get_info()).head_block_num
        ahead = any(link.head_num > head for link in links)
        if links and not ahead and head >= known:
            return "level"
        helped = loop.time() if ahead else helped
        return "alone" if loop.time() - helped > PEERS_SECONDS else ""

    try:
        found = await poll(look, what="the peers' blocks", deadline=FETCH_SECONDS)
    except (DeadlineError, NodeError) as error:
        log.warning("node %s: fetching its peers' blocks: %s", folder.name, error)
        return False
    return found == "level"


def _check_left(launch: Launch, head: int, known: int) -> None:
    """For a node that will produce alone again. Raises NodeFault if it would make other blocks than there were."""
    name = launch.folder.name
    if head >= known:
        return
    if launch.spec.peers:
        raise Unfinished(
            f"node {name}: it has only {head} of {known} blocks, and none of its peers answers that has the others: "
            "start them first"
        )
    if head <= 1:
        raise DamagedBlocks(f"node {name}: nothing is left of its {known} blocks")
    log.warning("node %s: blocks %d to %d are lost: it continues from what is left", name, head + 1, known)


def _originals(launch: Launch) -> list[Path]:
    """The original blocks: nodeos moves them to blocks-TIME beside blocks before it copies what it can read."""
    return sorted(launch.folder.data.glob("blocks-*"))


def undo_what_was_cut_off(launch: Launch) -> None:
    """Puts back what an agent that was killed while it tried a remedy had put aside."""
    launch.folder.put_back()
    _undo_hard_replay(launch)


def _undo_hard_replay(launch: Launch) -> None:
    """Puts the blocks back as they were before a hard replay that did not come to its end."""
    for original in _originals(launch)[:1]:
        shutil.rmtree(launch.folder.blocks, ignore_errors=True)
        original.rename(launch.folder.blocks)


def _check_space(launch: Launch, where: Path) -> None:
    """Raises DiskFull when there is no room for a second copy of its blocks there."""
    folder = launch.folder
    needed = sum(path.stat().st_size for path in folder.blocks.rglob("*") if path.is_file()) + LEAST_SPACE
    free = shutil.disk_usage(where).free
    if free < needed:
        raise DiskFull(
            f"node {folder.name}: to mend its blocks, {needed >> 20} MB are needed on its disk, {free >> 20} MB are "
            f"free at {where}: free some space there"
        )
