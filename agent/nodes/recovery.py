"""Repairs a node's chain when its files are damaged or lost: first from nodeos' own files, then from its peers.

Data that may be the only copy is never removed: it is put into the node's folder `set-aside`, and put back if that did
not help. docs/adr/0003-nodeos-processes.md has the measurements.
"""

from __future__ import annotations

import asyncio
import logging

from agent.errors import (
    Crashed,
    Damaged,
    DamagedBlocks,
    DamagedFeatures,
    DamagedForks,
    DamagedState,
    NodeFault,
    NotAnswering,
    Unfinished,
)
from agent.nodes.launch import Launch, start
from agent.nodes.remedies import TRY, Remedy, undo_what_was_cut_off
from support.processes import Process

log = logging.getLogger(__name__)


ORDER = tuple(Remedy)
_FIRST: dict[type[NodeFault], Remedy] = {
    DamagedFeatures: Remedy.FEATURES,
    DamagedForks: Remedy.FORKS,
    DamagedState: Remedy.REPLAY,
    Crashed: Remedy.REPLAY,
    DamagedBlocks: Remedy.HARD_REPLAY,
}


def choose(fault: NodeFault, tried: tuple[Remedy, ...], *, peers: bool) -> Remedy | None:
    """The next remedy for this fault; None if nothing is left. peers: whether there are peers to fetch blocks from."""
    first = _FIRST.get(type(fault))
    possible = [remedy for remedy in ORDER if remedy not in tried and (peers or remedy is not Remedy.FETCH)]
    last = max((ORDER.index(remedy) for remedy in tried), default=-1)
    if first in possible and (first is Remedy.FEATURES or ORDER.index(first) > last):
        return first
    return next((remedy for remedy in possible if ORDER.index(remedy) > last), None)


async def bring_up(launch: Launch) -> Process:
    """Starts the node, and repairs its files first if they are damaged.

    The process is on record from its first moment. Raises NodeFault; then nothing runs.
    """
    folder = launch.folder
    if folder.recovering is not None:
        return await _mend(
            launch, DamagedState(folder.recovering or f"node {folder.name}: its recovery was interrupted")
        )
    try:
        return await start(launch)
    except (Damaged, Crashed) as fault:
        if isinstance(fault, Crashed) and not folder.begun:
            raise
        if not folder.begun:  # `start` has removed what there was: a first block, which it makes again
            return await start(launch)
        return await _mend(launch, fault)


async def _mend(launch: Launch, first: NodeFault) -> Process:
    """Tries one remedy after the other. Raises NodeFault with the first reason."""
    folder, fault, tried = launch.folder, first, tuple[Remedy, ...]()
    folder.begin_recovery(str(first))
    await asyncio.to_thread(undo_what_was_cut_off, launch)
    while remedy := choose(fault, tried, peers=bool(launch.spec.peers)):
        log.warning("%s; trying %s", fault, remedy.value)
        tried = (*tried, remedy)
        try:
            await TRY[remedy](launch)
            process = await start(launch)
        except Unfinished:
            raise  # the next start tries again: nothing says that its files are bad
        except (Damaged, Crashed, NotAnswering) as next_fault:
            fault = next_fault
            continue
        folder.end_recovery()
        return process
    raise NodeFault(
        f"{first}; neither {' nor '.join(remedy.value for remedy in tried)} mends that; nothing was removed, its "
        f"chain is in {folder.data}: put a whole copy there, or start a peer that has the chain; then boot again"
    ) from fault
