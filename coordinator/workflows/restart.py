"""Restarts nodes that ran before: after `coord down`, a machine's restart, or a total outage.

When all nodes of an elected schedule were stopped, no block is made: a producer waits for a fresh block, unless it runs
with stale production enabled, which at most one may (as seen on Leap and Spring). One elected producer, the designated
starter, is started that way; its agent checks for itself that it is safe.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from antelope.errors import NodeError
from boot.claims import chain_time
from boot.step import NodeMode, Query
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.reporter import Reporter
from inventory.network import GENESIS_ACCOUNT, Node
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll

FRESH_SECONDS = 6.5
"""Seconds; an absent producer leaves a gap of one turn, which is 6 s."""
SETTLE_SECONDS = 1.0
"""Seconds that nodes get to dial each other after they were started."""
RETURN_SECONDS = 90.0
"""Seconds that the chain may take to advance again once the starter runs."""


async def revive(access: NodeAccess, runner: Runner, sealed: Sealed, reporter: Reporter) -> bool:
    """Starts every node that ran before and is stopped, and then the chain itself if it stands still.

    Returns whether anything had to be done. Raises OperationFailed, NodeError.
    """
    known = [node for node in access.network.nodes if access.status(node) is not None and not node.party]
    stopped = [node for node in known if not access.running(node)]
    if not stopped:
        return False
    reporter.note(f"starting again: {', '.join(node.name for node in stopped)}")
    results = await asyncio.gather(
        *(runner.nodes.start(node.name, NodeMode.NORMAL) for node in stopped), return_exceptions=True
    )
    failures = {node.name: result for node, result in zip(stopped, results, strict=True) if result is not None}
    for name, failure in failures.items():
        reporter.note(f"{name}: {failure}")
    if len(failures) == len(known):
        raise OperationFailed(f"no node could be started again: {next(iter(failures.values()))}")
    schedule = await _schedule(access)
    if schedule == {GENESIS_ACCOUNT} or await _moves(access, await _patience(access, schedule, stopped)):
        return True
    starter = designated(access, sealed, schedule)
    if starter is None:
        raise OperationFailed("the chain stands still and no elected producer's node is running: start one of them")
    reporter.note(f"the chain stands still; {starter.name} restarts it (with stale production enabled, this once)")
    try:
        await runner.nodes.start(starter.name, NodeMode.STARTER)
    except TaskFailedError as refusal:
        if not await _moves(access, FRESH_SECONDS):
            raise OperationFailed(
                f"the chain stands still, and {starter.name} does not restart it: {refusal}"
            ) from refusal
        return True  # it came back by itself meanwhile
    if not await _moves(access, RETURN_SECONDS):
        raise OperationFailed(f"the chain still makes no block {RETURN_SECONDS:g} s after {starter.name} was started")
    return True


def designated(access: NodeAccess, sealed: Sealed, schedule: frozenset[str]) -> Node | None:
    """The first elected producer, in the inventory's order, that is in the schedule and whose node runs."""
    running = {node.account: node for node in access.network.nodes if not node.party and access.running(node)}
    return next((running[name] for name in sealed.elected if name in schedule & running.keys()), None)


async def _schedule(access: NodeAccess) -> frozenset[str]:
    """The accounts in the active schedule: they sign the blocks."""
    answer = await access.ask(Query("/v1/chain/get_producer_schedule"))
    return frozenset(str(entry["producer_name"]) for entry in answer["active"]["producers"])


async def _patience(access: NodeAccess, schedule: frozenset[str], stopped: list[Node]) -> float:
    """Seconds to wait for a block. If every scheduled producer's node was stopped, the silence so far counts."""
    if not schedule <= {node.account for node in stopped}:
        return FRESH_SECONDS
    info = await access.ask(Query("/v1/chain/get_info"))
    silence = datetime.now(UTC) - chain_time(info["head_block_time"])
    return min(FRESH_SECONDS, max(FRESH_SECONDS - silence.total_seconds(), SETTLE_SECONDS))


async def _moves(access: NodeAccess, seconds: float) -> bool:
    """Whether any running node of the operator's sees a new block within this many seconds."""

    async def heads() -> dict[str, int]:
        found = {}
        for node in access.network.nodes:
            if access.running(node) and not node.party:  # a party's may answer anything
                try:
                    info = await access.ask(Query("/v1/chain/get_info", node=node.name))
                    found[node.name] = int(info["head_block_num"])
                except NodeError:
                    continue
        return found

    before = await heads()

    async def moved() -> bool:
        now = await heads()
        return any(head > before.get(name, head) for name, head in now.items())

    try:
        return await poll(moved, what="a new block", deadline=seconds)
    except DeadlineError:
        return False
