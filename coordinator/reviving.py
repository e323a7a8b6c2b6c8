"""Brings back nodes that ran before: after `coord down`, after the machine's restart, after a total outage.

An elected schedule whose nodes were all stopped makes no block by itself: production starts only after a fresh block,
unless a node runs with stale production enabled, and at most one may (facts of nodeos, seen on Leap and Spring). One
elected producer, the designated starter, gets that; its agent checks the rule again for itself.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from antelope.errors import NodeError
from boot.claims import chain_time
from boot.step import NodeMode, Query
from coordinator.desk import NetworkDesk
from coordinator.errors import OperationFailed
from coordinator.progress import Reporter
from coordinator.runner import Runner
from inventory.network import GENESIS_ACCOUNT, Node
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll

FRESH_SECONDS = 6.5
"""A scheduled producer that is absent leaves a gap of 12 slots of half a second."""
SETTLE_SECONDS = 1.0
"""Time that nodes which were just started get to dial each other."""
RETURN_SECONDS = 90.0
"""How long the chain may take to move again once the starter runs."""


async def revive(desk: NetworkDesk, runner: Runner, sealed: Sealed, reporter: Reporter) -> bool:
    """Starts every recorded node that does not run, and the chain itself where it stands still.

    Returns whether anything had to be done. Raises OperationFailed, NodeError.
    """
    known = [node for node in desk.network.nodes if desk.status(node) is not None and not node.party]
    stopped = [node for node in known if not desk.running(node)]
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
    schedule = await _schedule(desk)
    if schedule == {GENESIS_ACCOUNT} or await _moves(desk, await _patience(desk, schedule, stopped)):
        return True
    starter = designated(desk, sealed)
    if starter is None:
        raise OperationFailed("the chain stands still and no elected producer's node runs: start one of them")
    reporter.note(f"the chain stands still; {starter.name} starts it again (stale production enabled, this once)")
    await runner.nodes.start(starter.name, NodeMode.STARTER)
    if not await _moves(desk, RETURN_SECONDS):
        raise OperationFailed(f"the chain still makes no block {RETURN_SECONDS:g} s after {starter.name} was started")
    return True


def designated(desk: NetworkDesk, sealed: Sealed) -> Node | None:
    """The first elected producer, in the inventory's order, whose node runs."""
    nodes = {node.account: node for node in desk.network.nodes if not node.party}
    return next((nodes[name] for name in sealed.elected if name in nodes and desk.running(nodes[name])), None)


async def _schedule(desk: NetworkDesk) -> frozenset[str]:
    """Who signs the blocks. Once it is not eosio any more, nobody else brings the chain back."""
    answer = await desk.ask(Query("/v1/chain/get_producer_schedule"))
    return frozenset(str(entry["producer_name"]) for entry in answer["active"]["producers"])


async def _patience(desk: NetworkDesk, schedule: frozenset[str], stopped: list[Node]) -> float:
    """How long to wait for a block: where every scheduled producer's node was stopped, its silence so far counts."""
    if not schedule <= {node.account for node in stopped}:
        return FRESH_SECONDS
    info = await desk.ask(Query("/v1/chain/get_info"))
    silence = datetime.now(UTC) - chain_time(info["head_block_time"])
    return min(FRESH_SECONDS, max(FRESH_SECONDS - silence.total_seconds(), SETTLE_SECONDS))


async def _moves(desk: NetworkDesk, seconds: float) -> bool:
    """Whether any running node sees a new block within so many seconds."""

    async def heads() -> dict[str, int]:
        found = {}
        for node in desk.network.nodes:
            if desk.running(node):
                try:
                    info = await desk.ask(Query("/v1/chain/get_info", node=node.name))
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
