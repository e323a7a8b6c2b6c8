"""Restores a genesis node whose folder is lost although the chain has begun: it takes the chain from other nodes.

Its first start signs nothing (NodeMode.AUDIT): a node that signs alone would begin the chain again, with other blocks.
Once it has caught up with the others, it resumes signing if eosio still signs alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from boot.step import NodeMode
from boot.steps.genesis import STEP as GENESIS_STEP
from coordinator.agents.link import LinkError
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.reporter import Reporter
from coordinator.state.folder import StepRecord
from inventory.network import GENESIS_ACCOUNT, Node
from support.retry import DeadlineError, poll

from .restart import active_schedule

ANSWER_SECONDS = 60.0
"""Seconds for an agent to report its nodes."""
FETCH_SECONDS = 3600.0
"""Seconds that the node has to fetch the chain: it takes thousands of blocks a second."""


async def restore_genesis(
    access: NodeAccess, runner: Runner, steps: Mapping[str, StepRecord], reporter: Reporter
) -> bool:
    """Brings the genesis node back if it is lost. Returns whether it was.

    Raises OperationFailed when no other node has the chain: the boot's first step would begin it again, with another
    history and the same id.
    """
    begun = steps.get(GENESIS_STEP.name)
    if begun is None or not begun.done:
        return False
    genesis = access.network.genesis_node
    link = access.link(genesis.host)

    async def told() -> bool:
        return link.status is not None

    await poll(told, what=f"the agent of {genesis.host} to say which nodes it has", deadline=ANSWER_SECONDS)
    if access.status(genesis) is not None:
        return False
    others = await _others(access, runner, genesis)
    if not others:
        raise OperationFailed(
            f"the chain was begun, and the folder of its node {genesis.name} is lost on {genesis.host}: a new one "
            "would begin the chain again, with other blocks, and no other node here has it. Put back a copy of "
            f"nodes/{genesis.name} of the agent's data folder, and boot again"
        )
    names = ", ".join(node.name for node in others)
    reporter.note(f"the folder of {genesis.name} is lost on {genesis.host}: it takes the chain from {names}")
    await _fetched(access, runner, genesis, others)
    if await active_schedule(access) == {GENESIS_ACCOUNT}:
        await runner.nodes.start(genesis.name, NodeMode.GENESIS, anew=True)
    return True


async def _others(access: NodeAccess, runner: Runner, genesis: Node) -> list[Node]:
    """The operator's other nodes that run and have blocks; those that ran before are started."""
    known = [node for node in access.network.nodes if node != genesis and not node.party and access.status(node)]
    stopped = [node for node in known if not access.running(node)]
    starts = (runner.nodes.start(node.name, NodeMode.NORMAL) for node in stopped)
    for result in await asyncio.gather(*starts, return_exceptions=True):
        if result is not None and not isinstance(result, TaskFailedError | LinkError | DeadlineError):
            raise result
    return [node for node in known if access.running(node) and await _begun(access, node)]


async def _begun(access: NodeAccess, node: Node) -> bool:
    async def told() -> bool:
        return _lib(access, node) > 1

    with contextlib.suppress(DeadlineError):
        return await poll(told, what=f"{node.name} to tell its blocks", deadline=10.0)
    return False


async def _fetched(access: NodeAccess, runner: Runner, genesis: Node, others: list[Node]) -> None:
    """Waits until it runs without signing and has all blocks of the others. Raises OperationFailed."""

    async def level() -> bool:
        status = access.status(genesis)
        return status is not None and status.head >= max(_lib(access, node) for node in others)

    try:
        await runner.nodes.start(genesis.name, NodeMode.AUDIT)
        await poll(level, what=f"{genesis.name} to have the others' blocks", deadline=FETCH_SECONDS)
    except (TaskFailedError, LinkError, DeadlineError) as error:
        why = f"{genesis.host}: {genesis.name} does not get the chain from the others: {error}"
        raise OperationFailed(why) from error


def _lib(access: NodeAccess, node: Node) -> int:
    status = access.status(node)
    return status.lib if status is not None else 0
