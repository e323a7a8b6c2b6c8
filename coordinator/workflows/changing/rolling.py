"""Applies an edited inventory to running nodes, one after another, each back before the next.

A producer is restarted right after its own turn, so that it misses as few blocks as possible: of several, the one
whose turn ends first. No more producers are away at a time than the schedule can lose. The first node that does not
come back ends the rollout.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from antelope.elections import TURN_SECONDS
from antelope.errors import NodeError
from boot.step import NodeMode, Query
from boot.steps import OPTIONAL, STEPS
from coordinator.advising import typed
from coordinator.agents.link import LinkError
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.node_work import NodeWork
from coordinator.engine.pausing import makes_blocks
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.reporter import Reporter
from inventory.network import Network, Node, Role
from protos import coordination_pb2 as pb
from protos.states import UNTOUCHED
from support.retry import DeadlineError, poll

from .changes import Change, Cost, restarts

BACK_SECONDS = 180.0
"""Seconds that a restarted node may take to reach the head again, with a peer."""
LEVEL = 4
"""Blocks that a node may be behind the others and still count as being at the head."""


@dataclass(frozen=True)
class Rolling:
    """How an edited inventory is applied."""

    only: str = ""
    """A host or node, to change nothing else; empty for everything."""
    most: int = 1
    """Maximum number of nodes restarted at the same time. Of scheduled producers it is always one."""

    def check(self, network: Network) -> None:
        """Raises UsageProblem if `only` names no step, host or node."""
        known = {node.name for node in network.nodes} | {host.name for host in network.hosts}
        if self.only and self.only not in known:
            steps = ", ".join(step.name for step in (*STEPS, *OPTIONAL))
            raise UsageProblem(f"{network.source}: there is no step, host or node {self.only!r}; the steps are {steps}")

    def chosen(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        """The changes that are applied."""
        return tuple(change for change in changes if self.only in ("", change.host, change.node))


def tolerance(producers: int) -> int:
    """How many of a schedule may be away while blocks still become irreversible: two thirds plus one must sign."""
    return (producers - 1) // 3


async def apply(
    access: NodeAccess,
    work: NodeWork,
    changes: Sequence[Change],
    rolling: Rolling,
    reporter: Reporter,
    wake: Callable[[], Awaitable[object]],
    troubled: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Applies the changes. Returns the nodes that were changed.

    wake: restarts a stalled chain; a chain stalls when its only producer is restarted. troubled: hosts whose preflight
    failed, with the reason: no node is restarted there.
    Raises OperationFailed at the first node that does not come back, and at the end for nodes of troubled hosts;
    NodeError.
    """
    chosen = [change for change in rolling.chosen(changes) if change.cost in (Cost.RESTART, Cost.NOTHING)]
    if not chosen:
        return ()
    again = restarts(chosen)
    told = {change.node for change in chosen if change.cost is Cost.NOTHING} - set(again)
    done: list[str] = []
    try:
        nodes = [access.network.node(name) for name in again]
        well = [node for node in nodes if node.host not in troubled]
        await _restart_all(_Roll(access, work, reporter), well, done, rolling.most, wake)
        for name in sorted(told):
            if access.running(access.network.node(name)):
                await work.start(name, NodeMode.NORMAL)
                done.append(name)
    except asyncio.CancelledError:
        reporter.note(_interrupted(done, [name for name in (*again, *sorted(told)) if name not in done]))
        raise
    if left := [node for node in nodes if node.host in troubled]:
        raise OperationFailed(_left_alone(left, troubled, done))
    return tuple(done)


def _left_alone(nodes: Sequence[Node], troubled: Mapping[str, str], done: Sequence[str]) -> str:
    """Why nodes of troubled hosts are not restarted: they might not start again."""
    hosts = dict.fromkeys(node.host for node in nodes)
    each = "; ".join(
        f"{host}: not changed, because the preflight failed there: "
        f"{', '.join(node.name for node in nodes if node.host == host)} ({troubled[host]})"
        for host in hosts
    )
    return f"{each}{_on_or_back(done)}"


def _on_or_back(done: Sequence[str], left: Sequence[str] = ()) -> str:
    """The end of a message about a rollout that stops."""
    before = f"; changed before: {', '.join(done)}" if done else ""
    rest = f"; not touched: {', '.join(left)}" if left else ""
    go_on = f"To continue, fix that and run {typed('boot')} again"
    return f"{before}{rest}. {go_on}; to go back, undo the edit and run the same"


def _interrupted(done: Sequence[str], left: Sequence[str]) -> str:
    """What a user is told who interrupts it. The agent completes a restart that it has begun."""
    return (
        f"stopped while the inventory is applied; changed: {', '.join(done) or 'nothing'}; not changed, or not seen to "
        f"be back: {', '.join(left) or 'none'}. {typed('plan')} shows what is left. To continue, run {typed('boot')} "
        "again; to go back, undo the edit and run the same"
    )


async def _restart_all(
    roll: _Roll, nodes: Sequence[Node], done: list[str], most: int, wake: Callable[[], Awaitable[object]]
) -> None:
    """Restarts these nodes: first those that do not sign, then each producer when its turn has just ended."""
    schedule = await roll.schedule()
    names = [node.name for node in nodes]
    ordinary = [node for node in nodes if node.account not in schedule]
    scheduled = [node for node in nodes if node.account in schedule]
    for start in range(0, len(ordinary), most):
        await roll.each(ordinary[start : start + most], done, names)
    while scheduled:
        node = await roll.next_to_restart(scheduled, schedule)
        scheduled.remove(node)
        await roll.each([node], done, names)
        if len(schedule) == 1:
            await wake()


async def restart(
    access: NodeAccess, work: NodeWork, node: Node, reporter: Reporter, wake: Callable[[], Awaitable[object]]
) -> None:
    """Restarts one node that runs: a producer right after its turn. Raises OperationFailed, NodeError."""
    roll = _Roll(access, work, reporter)
    schedule = await roll.schedule()
    if node.account in schedule:
        await roll.next_to_restart([node], schedule)
    await roll.each([node], [], [node.name], changed=False)
    if schedule == (node.account,):
        await wake()


async def check_dispensable(access: NodeAccess, work: NodeWork, nodes: Sequence[Node], reporter: Reporter) -> None:
    """Raises OperationFailed when the schedule cannot lose the producers of all these nodes now, NodeError."""
    roll = _Roll(access, work, reporter)
    schedule = await roll.schedule()
    if scheduled := [node for node in nodes if node.account in schedule]:
        await roll.check_away(scheduled, schedule, tolerance(len(schedule)))


async def turn_over(access: NodeAccess, work: NodeWork, node: Node, reporter: Reporter) -> None:
    """Waits while it is the producer's own turn, so that it misses no part of it. Raises NodeError."""
    roll = _Roll(access, work, reporter)
    schedule = await roll.schedule()
    if node.account in schedule and len(schedule) > 1 and await makes_blocks(access, node):
        await roll.turn_over(node)


async def at_head(access: NodeAccess, node: Node) -> None:
    """Waits until the node is at the head that the others have, with a peer, by a report that its agent makes from now
    on: the latest one may be from before its restart. Raises DeadlineError.
    """
    latest = access.link(node.host).status

    async def back() -> bool:
        status = access.status(node)
        if access.link(node.host).status is latest or status is None or not access.running(node) or not status.peers:
            return False
        return status.head + LEVEL >= _level(access, node, irreversible=status.mode == pb.MODE_AUDIT)

    await poll(back, what=f"{node.name} to be at the head again, with a peer", deadline=BACK_SECONDS)


def _level(access: NodeAccess, node: Node, irreversible: bool) -> int:
    """The block that the other nodes are at. irreversible: their LIB, which is an audit node's head."""
    others = (
        access.status(other) for other in access.network.nodes if other.name != node.name and access.running(other)
    )
    return max((status.lib if irreversible else status.head for status in others if status), default=0)


class _Roll:
    def __init__(self, access: NodeAccess, work: NodeWork, reporter: Reporter) -> None:
        self._access = access
        self._work = work
        self._reporter = reporter

    async def schedule(self) -> tuple[str, ...]:
        """Accounts of the active schedule."""
        answer = await self._access.ask(Query("/v1/chain/get_producer_schedule"))
        return tuple(str(entry["producer_name"]) for entry in answer["active"]["producers"])

    async def each(
        self, nodes: Sequence[Node], done: list[str], all_of_them: Sequence[str], changed: bool = True
    ) -> None:
        """Restarts these nodes concurrently, and waits until all are back. changed: as the inventory now says."""
        results = await asyncio.gather(*(self._restart(node, changed) for node in nodes), return_exceptions=True)
        for node, result in zip(nodes, results, strict=True):
            if isinstance(result, OperationFailed | NodeError | DeadlineError):
                left = [name for name in all_of_them if name not in done and name != node.name]
                what = "is not restarted" if UNTOUCHED in str(result) else "did not come back after its restart"
                way = _on_or_back(done, left) if changed else "; fix that, and run the same again"
                raise OperationFailed(f"{node.host}: {node.name} {what}: {result}{way}")
            if isinstance(result, BaseException):
                raise result
            done.append(node.name)

    async def next_to_restart(self, waiting: Sequence[Node], schedule: Sequence[str]) -> Node:
        """Which of these producers to restart now: one that makes no blocks, or else the first whose own turn ends.

        Raises OperationFailed if another producer is away, and the schedule cannot lose two.
        """
        idle = [node for node, signs in zip(waiting, await self._signing(waiting), strict=True) if not signs]
        node = (idle or waiting)[0]
        await self.check_away([node], schedule, max(tolerance(len(schedule)), 1))
        if idle or len(schedule) < 2:
            return node
        left = f"{len(waiting)} producers: the next is restarted at" if len(waiting) > 1 else f"{node.name}: waits for"
        self._reporter.note(f"{left} the end of its own turn")
        signing = {str(one.account): one for one in waiting}
        before = ""

        async def ended() -> Node | None:
            nonlocal before
            last, before = before, await self._signer(waiting) or before
            return signing.get(last) if last != before else None

        try:
            return await poll(ended, what="its turn", deadline=(len(schedule) + 2) * TURN_SECONDS)
        except DeadlineError:
            self._reporter.note(f"{node.name}: signs no blocks; it is restarted now")
            return node

    async def turn_over(self, node: Node) -> None:
        """Waits while it is the producer's own turn, unless no blocks come."""

        async def over() -> bool:
            return await self._signer([node]) != node.account

        if not await over():
            self._reporter.note(f"{node.name}: waits for the end of its own turn")
            with contextlib.suppress(DeadlineError):
                await poll(over, what="the end of its turn", deadline=2 * TURN_SECONDS)

    async def check_away(self, nodes: Sequence[Node], schedule: Sequence[str], most: int) -> None:
        """Raises OperationFailed when so many producers would be away with these that blocks stop being final."""
        away = await self._away(schedule, nodes)
        if len(away) + len(nodes) > most or (away and not tolerance(len(schedule))):
            one = len(nodes) == 1
            lone = f"the schedule cannot lose {'it' if one else 'all of them'}"
            who = f"{', '.join(away)} {'is' if len(away) == 1 else 'are'} away" if away else lone
            raise OperationFailed(
                f"{', '.join(node.name for node in nodes)} {'is left as it is' if one else 'are left as they are'}, "
                f"because {who}: of {len(schedule)} producers {tolerance(len(schedule))} may be away while blocks "
                "become irreversible"
            )

    async def _restart(self, node: Node, changed: bool) -> None:
        self._reporter.note(f"{node.host}: {node.name} is restarted{' as the inventory now says' if changed else ''}")
        await (self._work.start(node.name, NodeMode.NORMAL) if changed else self._work.restart(node.name))
        await at_head(self._access, node)

    async def _away(self, schedule: Collection[str], nodes: Collection[Node]) -> list[str]:
        """Other producers of the schedule, of the operator's, whose nodes make no blocks."""
        own = [other for other in self._access.network.nodes if other.account in schedule and not other.party]
        others = [other for other in own if other.name not in {node.name for node in nodes}]
        signing = await self._signing(others)
        return sorted(str(other.account) for other, signs in zip(others, signing, strict=True) if not signs)

    async def _signing(self, nodes: Sequence[Node]) -> list[bool]:
        """Of each node whether it makes blocks."""
        return await asyncio.gather(*(makes_blocks(self._access, node) for node in nodes))

    async def _signer(self, waiting: Collection[Node]) -> str:
        """The producer of the head block, as a node sees it, another than these if one answers; empty if none does.

        The retired genesis node is not asked: it shows irreversible blocks only, which are several turns behind.
        """
        nodes = [one for one in self._access.network.nodes if not one.party and one.role is not Role.GENESIS]
        for node in sorted(filter(self._access.running, nodes), key=lambda one: one in waiting):
            try:
                info = await self._access.ask(Query("/v1/chain/get_info", node=node.name))
            except (NodeError, LinkError, TaskFailedError):
                continue
            return str(info["head_block_producer"])
        return ""
