"""Restarts nodes that ran before, and a stalled chain: after `coord down`, a machine's restart, or a total outage.

After all nodes of an elected schedule were stopped, no blocks are made: a producer waits for a fresh block unless it
runs with stale production enabled, which at most one node may do (as seen on Leap and Spring). One elected producer,
the designated starter, is started that way. Its agent checks for itself that this is safe.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

from antelope.errors import NodeError
from boot.claims import chain_time
from boot.step import NodeMode, Query
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.report.chain import patience
from coordinator.reporter import Reporter
from inventory.network import GENESIS_ACCOUNT, Node
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll

ANSWER_SECONDS = 60.0
"""Seconds for a killed node, which its agent is restarting, to answer."""
SETTLE_SECONDS = 1.0
"""Seconds that nodes have to dial each other after their start."""
RETURN_SECONDS = 90.0
"""Seconds that the chain may take to advance again once the starter runs."""


async def revive(access: NodeAccess, runner: Runner, sealed: Sealed, reporter: Reporter) -> bool:
    """Starts every stopped node that ran before, and then the chain itself if it has stalled.

    Returns whether anything had to be done. Raises OperationFailed, NodeError.
    """
    known = [node for node in access.network.nodes if access.status(node) is not None and not node.party]
    if not known:
        return False
    stopped = [node for node in known if not access.running(node)]
    if stopped:
        await _start(stopped, known, runner, reporter)
    return await wake(access, runner, sealed, reporter) or bool(stopped)


async def wake(access: NodeAccess, runner: Runner, sealed: Sealed, reporter: Reporter) -> bool:
    """Restarts the chain if it has stalled. Returns whether it did. Raises OperationFailed, NodeError."""
    schedule = await active_schedule(access)
    if await _moves(access, await _patience(access, schedule)):
        return False
    starter = designated(access, sealed, schedule)
    if starter is None and (lost := _unknown(access, schedule)):
        await _start(lost, lost, runner, reporter)
        await _followed(access, lost)
        starter = designated(access, sealed, schedule)
    if starter is None:
        raise OperationFailed(
            f"the chain has stalled, and no node of the producers that should sign ({', '.join(sorted(schedule))}) "
            "is running here: start one of them"
        )
    await _wake(access, runner, starter, schedule, reporter)
    return True


def _unknown(access: NodeAccess, schedule: frozenset[str]) -> list[Node]:
    """Nodes that should sign, and whose own agent does not know them: their folders are lost. They begin from peers."""
    scheduled = (node for node in access.network.nodes if node.account in schedule and not node.party)
    return [node for node in scheduled if access.status(node) is None and access.link(node.host).connected]


async def _followed(access: NodeAccess, begun: Sequence[Node]) -> None:
    """Waits, for a while, until nodes that begin anew have the blocks of the others: only then may one sign."""

    async def there() -> bool:
        return await _head(access, begun) >= await _head(access, access.network.nodes)

    with contextlib.suppress(DeadlineError):  # the one that is to restart the chain says what it lacks
        await poll(there, what="the chain's blocks", deadline=RETURN_SECONDS)


async def _head(access: NodeAccess, nodes: Sequence[Node]) -> int:
    """The highest head block of those of the operator's nodes that run; a party's may answer anything."""
    highest = 0
    for node in nodes:
        if access.running(node) and not node.party:
            with contextlib.suppress(NodeError):
                info = await access.ask(Query("/v1/chain/get_info", node=node.name))
                highest = max(highest, int(info["head_block_num"]))
    return highest


async def _start(stopped: list[Node], known: list[Node], runner: Runner, reporter: Reporter) -> None:
    reporter.note(f"starting again: {', '.join(node.name for node in stopped)}")
    results = await asyncio.gather(
        *(runner.nodes.start(node.name, NodeMode.NORMAL) for node in stopped), return_exceptions=True
    )
    failures = {node.name: result for node, result in zip(stopped, results, strict=True) if result is not None}
    for name, failure in failures.items():
        reporter.note(f"{name}: {failure}")
    if len(failures) == len(known):
        raise OperationFailed(f"no node could be started again: {next(iter(failures.values()))}")


async def _wake(
    access: NodeAccess, runner: Runner, starter: Node, schedule: frozenset[str], reporter: Reporter
) -> None:
    """Has one node sign again. Raises OperationFailed if no block follows."""
    alone = starter.account == GENESIS_ACCOUNT
    how = "as the only signer" if alone else "with stale production enabled, this once"
    reporter.note(f"the chain has stalled; {starter.name} restarts it ({how})")
    try:
        await runner.nodes.start(starter.name, NodeMode.GENESIS if alone else NodeMode.STARTER, anew=True)
    except TaskFailedError as refusal:
        if not await _moves(access, patience(schedule)):
            raise OperationFailed(
                f"the chain has stalled, and {starter.name} does not restart it: {refusal}"
            ) from refusal
        return  # it has recovered by itself meanwhile
    if not await _moves(access, RETURN_SECONDS):
        raise OperationFailed(f"the chain still makes no block {RETURN_SECONDS:g} s after {starter.name} was started")


def designated(access: NodeAccess, sealed: Sealed, schedule: frozenset[str]) -> Node | None:
    """The node that restarts the chain: that of the first producer, in the inventory's order, that is in the schedule
    and whose node runs; eosio's while eosio signs alone, whatever mode its node is in.
    """
    running = {node.account: node for node in access.network.nodes if not node.party and access.running(node)}
    names = (*sealed.elected, *(name for name in running if name), GENESIS_ACCOUNT)
    return next((running[name] for name in names if name in schedule & running.keys()), None)


async def active_schedule(access: NodeAccess) -> frozenset[str]:
    """The accounts in the active schedule. Waits for a node to answer, since nodes may be starting."""

    async def asked() -> frozenset[str] | None:
        with contextlib.suppress(NodeError):
            answer = await access.ask(Query("/v1/chain/get_producer_schedule"))
            return frozenset(str(entry["producer_name"]) for entry in answer["active"]["producers"])
        return None

    return await poll(asked, what="a node to answer", deadline=ANSWER_SECONDS)


async def _patience(access: NodeAccess, schedule: frozenset[str]) -> float:
    """Seconds to wait for a block: the silence so far counts, but it is never 0, whatever the clocks say."""
    silences = []
    for node in access.network.nodes:
        if access.running(node) and not node.party:
            with contextlib.suppress(NodeError):
                info = await access.ask(Query("/v1/chain/get_info", node=node.name))
                silences.append((datetime.now(UTC) - chain_time(info["head_block_time"])).total_seconds())
    longest = patience(schedule)
    return min(longest, max(longest - min(silences, default=0.0), SETTLE_SECONDS))


async def _moves(access: NodeAccess, seconds: float) -> bool:
    """Whether any of the operator's running nodes sees a new block within this many seconds."""

    highest = await _head(access, access.network.nodes)  # one that merely catches up with the others proves nothing

    async def moved() -> bool:
        nonlocal highest
        before, highest = highest, max(highest, await _head(access, access.network.nodes))
        return highest > before > 0

    try:
        return await poll(moved, what="a new block", deadline=seconds)
    except DeadlineError:
        return False
