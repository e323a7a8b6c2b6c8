"""The first start of a node: from a snapshot if a valid one is at hand, otherwise from the genesis."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from agent.errors import DiskFull, FolderInUse, NodeFault, PortTaken
from agent.nodes.beginning import Beginning, objection
from agent.nodes.folder import NodeFolder
from agent.nodes.launch import Launch, start
from agent.nodes.recovery import bring_up

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A snapshot to start from."""

    path: Path
    beginning: Beginning


async def first_start(launch: Launch, source: Source) -> str:
    """Starts a node that has no chain yet. Returns why it did not start from the snapshot; empty if it did.

    A snapshot that is damaged, from another chain, or rejected by nodeos is refused: the node then syncs from its
    peers. Raises NodeFault; then it does not run.
    """
    folder, name = launch.folder, launch.spec.name
    wrong = await asyncio.to_thread(objection, source.path, source.beginning, launch.chain_id)
    if not wrong:
        await asyncio.to_thread(folder.begun_from.write, source.path, source.beginning)
        try:
            await start(replace(launch, fresh=True))
            folder.lower_reached(source.beginning.block)
            log.info("node %s begins with %s", name, source.beginning)
            return ""
        except (PortTaken, DiskFull, FolderInUse):
            raise
        except NodeFault as fault:
            wrong = str(fault)
            await asyncio.to_thread(folder.drop_chain)
    await asyncio.to_thread(folder.begun_from.forget)
    said = f"{name} refuses {source.beginning}: {wrong}; it syncs from its peers"
    log.warning("node %s", said)
    await bring_up(launch)
    return said


def begin_anew(folder: NodeFolder) -> None:
    """Puts a node's chain aside, so that its next start is a first start. Raises OSError."""
    place = folder.set_aside(folder.data)
    folder.begun_from.forget()
    folder.lower_reached(1)
    folder.end_recovery()
    log.warning("node %s: its chain until now is in %s; remove that when it is not needed", folder.name, place)
