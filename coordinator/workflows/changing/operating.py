"""Operates single nodes and hosts of a running network: restarts, stops and pauses nodes, drains and removes hosts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from boot.step import NodeMode, Query
from coordinator.advising import typed
from coordinator.engine.access import own_node
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.state.placements import Placements
from coordinator.workflows.starting.restart import wake
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.identity import Kind

from .draining import drain, undrain
from .moving import move, stop_on
from .producers import add, planned, retire
from .rekeying import account_key_on, rekey
from .rolling import check_dispensable, restart, turn_over


class NodeAction(StrEnum):
    """What can be done to a node."""

    RESTART = "restart"
    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    MOVE = "move"


class ProducerAction(StrEnum):
    """What can be done to one of the operator's producers."""

    ADD = "add"
    RETIRE = "retire"


class KeyAction(StrEnum):
    """What can be done to a producer's key."""

    ROTATE = "rotate"


class HostAction(StrEnum):
    """What can be done to a host."""

    DRAIN = "drain"
    UNDRAIN = "undrain"
    REMOVE = "remove"


Action = NodeAction | HostAction | KeyAction | ProducerAction


def action_of(text: str) -> Action:
    """The action of that name. Raises ValueError."""
    for kind in (NodeAction, HostAction, KeyAction, ProducerAction):
        if text in tuple(kind):
            return kind(text)
    raise ValueError(text)


@dataclass(frozen=True)
class Operation:
    """One operation, as a user asked for it."""

    action: Action
    name: str
    """The name of the node, host or producer."""
    force: bool = False
    """Whether to act even if the schedule cannot lose the producer."""
    to: str = ""
    """The host that a node moves to."""

    def half_done(self) -> str:
        """What may be true if it was interrupted, and the commands that go on or back; empty if it is just repeated."""
        shown = f"{typed('status')} shows it"
        match self.action:
            case HostAction.DRAIN:
                go_on, back = typed("host", "drain", self.name), typed("host", "undrain", self.name)
                return f"producers of {self.name} may be paused: {go_on} goes on, {back} goes back; {shown}"
            case HostAction.UNDRAIN:
                go_on = typed("host", "undrain", self.name)
                return f"producers of {self.name} may still be paused: {go_on} goes on; {shown}"
            case NodeAction.PAUSE:
                return f"{self.name} may be paused: {typed('node', 'resume', self.name)} goes back; {shown}"
            case NodeAction.STOP:
                return f"{self.name} may be stopped: {typed('node', 'start', self.name)} goes back; {shown}"
            case NodeAction.RESTART:
                return f"{self.name} runs as before, or its agent restarts it: {shown}"
        return ""

    def check(self, network: Network) -> None:
        """Raises UsageProblem when the inventory has no such node or host, or still has one that is to be removed."""
        hosts = {host.name for host in network.hosts}
        if (self.action is NodeAction.MOVE) != bool(self.to):
            raise UsageProblem("--to HOST goes with move, and move needs it")
        if self.to and self.to not in hosts:
            raise UsageProblem(f"{network.source}: there is no host {self.to!r}; {typed('status')} lists them")
        if isinstance(self.action, KeyAction):
            _node_of(network, self.name)
            return
        if isinstance(self.action, ProducerAction):
            if planned(network, self.name) is None:
                raise UsageProblem(f"{network.source}: {self.name} is not a producer of the inventory")
            return
        unlisted = self.action is NodeAction.STOP  # a node that left the inventory can still be stopped
        known = unlisted or self.name in {node.name for node in network.nodes}
        if isinstance(self.action, NodeAction) and not known:
            raise UsageProblem(f"{network.source}: there is no node {self.name!r}; {typed('status')} lists them")
        if self.action in (HostAction.DRAIN, HostAction.UNDRAIN) and self.name not in hosts:
            raise UsageProblem(f"{network.source}: there is no host {self.name!r}; {typed('status')} lists them")
        if self.action is HostAction.REMOVE and self.name in hosts:
            raise UsageProblem(f"{network.source}: host {self.name} is still listed: take it out of the file first")


async def operate(opened: OpenNetwork, operation: Operation, reporter: Reporter) -> str:
    """Carries it out. Returns the outcome as a line. Raises CoordError, NodeError, DeadlineError."""
    operation.check(opened.network)
    work = NodeWork(opened.access, LostNodes(opened.access, opened.sealed), BootLog(opened.state.boot_log))
    if isinstance(operation.action, ProducerAction):
        does = add if operation.action is ProducerAction.ADD else retire
        return await does(opened, work, operation.name, reporter)
    if isinstance(operation.action, KeyAction):
        return await _rotate(opened, work, operation.name, reporter)
    if operation.action is HostAction.REMOVE:
        return await _remove(opened, operation, reporter.note)
    if isinstance(operation.action, HostAction):
        if operation.action is HostAction.DRAIN:
            return await drain(opened.access, work, operation.name, reporter, force=operation.force)
        return await undrain(opened.access, work, operation.name)
    return await _node(opened, work, operation, reporter)


async def _node(opened: OpenNetwork, work: NodeWork, operation: Operation, reporter: Reporter) -> str:
    if operation.name not in {node.name for node in opened.network.nodes}:
        return await _stop_unlisted(opened, operation)
    node, access = opened.network.node(operation.name), opened.access
    if operation.action is NodeAction.MOVE:
        return await move(opened, node, operation.to, reporter)
    running = access.running(node)
    match operation.action:
        case NodeAction.START:
            if running:
                return f"{node.name} runs already"
            await work.start(node.name, NodeMode.NORMAL)
            return f"{node.name} is started"
        case NodeAction.STOP:
            if not running:
                return f"{node.name} is stopped already"
            await _spared(opened, work, node, operation, reporter)
            await turn_over(access, work, node, reporter)
            await work.stop(node.name)
            return f"{node.name} is stopped; {typed('node', 'start', node.name)} starts it again"
        case NodeAction.PAUSE | NodeAction.RESUME:
            paused = operation.action is NodeAction.PAUSE
            if not running:
                raise OperationFailed(f"{node.name} does not run: start it first")
            if paused:
                await _spared(opened, work, node, operation, reporter)
                await turn_over(access, work, node, reporter)
            await work.produce(node.name, paused=paused)
            return f"{node.name} makes {'no blocks until it is resumed or restarted' if paused else 'blocks again'}"
        case NodeAction.RESTART:
            if not running:
                await work.start(node.name, NodeMode.NORMAL)
                return f"{node.name} is started: it did not run"
            await restart(access, work, node, reporter, _waking(opened, reporter))
            return f"{node.name} is restarted, and at the head again"
    raise AssertionError(operation.action)


def _waking(opened: OpenNetwork, reporter: Reporter) -> Callable[[], Awaitable[object]]:
    """Restarts the chain if it has stalled."""
    runner = Runner(opened.access, opened.blueprint(opened.sealed), opened.state, reporter)
    return lambda: wake(opened.access, runner, opened.sealed, reporter)


def _node_of(network: Network, producer: str) -> Node:
    """The node that signs for a producer. Raises UsageProblem."""
    found = own_node(network, producer)
    if found is None:
        raise UsageProblem(f"{network.source}: no node signs for {producer!r}; {typed('status')} lists those that sign")
    return found


async def _rotate(opened: OpenNetwork, work: NodeWork, producer: str, reporter: Reporter) -> str:
    node = _node_of(opened.network, producer)
    key = await rekey(opened, work, node, reporter, _waking(opened, reporter))
    return f"{producer} signs with {key} now; its earlier key is removed from {node.host}"


async def _stop_unlisted(opened: OpenNetwork, operation: Operation) -> str:
    """Stops a node that the inventory no longer has, whichever of the operator's hosts runs it."""
    name = operation.name
    parties = {party.name for party in opened.parties.parties()}
    for host, link in opened.hub.links.items():
        if host in parties:  # its agent may name any node
            continue
        found = next((node for node in (link.status.nodes if link.status else ()) if node.name == name), None)
        if found is None or not link.connected or not found.HasField("spec"):
            continue
        if found.state == NodeState.STOPPED:
            return f"{name} is stopped already"
        await _unscheduled(opened, [found], operation)
        await stop_on(link, name)
        Placements(opened.state.journal).forget(name)
        return f"{name} of {host} is stopped; its data is still there"
    raise UsageProblem(f"no host has a node {name!r}; {typed('status')} lists those of the inventory")


async def _unscheduled(opened: OpenNetwork, nodes: Collection[pb.NodeStatus], operation: Operation) -> None:
    """Raises OperationFailed if one of these nodes, which the inventory no longer has, signs for the schedule."""
    if operation.force or not any(node.spec.account for node in nodes):
        return
    answer = await opened.access.ask(Query("/v1/chain/get_producer_schedule"))
    schedule = {str(entry["producer_name"]) for entry in answer["active"]["producers"]}
    for node in nodes:
        if (account := node.spec.account) in schedule:
            raise OperationFailed(
                f"{node.name} signs blocks for {account}: list {account} in producers.later again, and retire it "
                "(docs/changing.md); --force stops it all the same, and its turns stay empty"
            )


async def _spared(opened: OpenNetwork, work: NodeWork, node: Node, operation: Operation, reporter: Reporter) -> None:
    if operation.force:
        return
    try:
        await check_dispensable(opened.access, work, [node], reporter)
    except OperationFailed as refused:
        raise OperationFailed(f"{refused}. --force overrides this") from refused


async def _remove(opened: OpenNetwork, operation: Operation, tell: Callable[[str], None]) -> str:
    """Stops the nodes of a host that left the inventory, and revokes its agent's access. Its data stays there."""
    name = operation.name
    entry = opened.hub.register.find(name)
    if entry is None or entry.kind is not Kind.HOST or entry.revoked:
        return f"no host {name} is enrolled"
    link = opened.hub.links[name]
    if not link.connected:
        raise OperationFailed(
            f"the agent of {name} is away: start that machine, or end its access: {typed('revoke', name)}"
        )
    running = [node for node in (link.status.nodes if link.status else ()) if node.state != NodeState.STOPPED]
    await _unscheduled(opened, running, operation)
    for one in running:
        await stop_on(link, one.name)
        tell(f"{name}: {one.name} is stopped")
    placements = Placements(opened.state.journal)
    kept = await _kept_alone(opened, placements, name)
    opened.hub.revoke(name)
    for node, placed in placements.all().items():
        if placed.host == name:
            placements.forget(node)
    alone = (
        f". The only account key of {', '.join(kept)} is there (keys/accounts.json in its data folder): keep it, "
        "or carry it over (docs/changing.md, A moved producer's account key)"
    )
    return (
        f"{name} is removed: its nodes are stopped and its agent's access is ended; its data is still there"
        f"{alone if kept else ''}"
    )


async def _kept_alone(opened: OpenNetwork, placements: Placements, leaving: str) -> list[str]:
    """The moved producers whose account key is on the host that leaves, and on no other that is connected."""
    links = opened.hub.links
    others = [host.name for host in opened.network.hosts if host.name != leaving and host.name in links]
    there = [host for host in others if links[host].connected]
    alone = []
    for account in (account for account, host in placements.keepers().items() if host == leaving):
        if found := await account_key_on(opened, account, there):
            placements.carried(account, found)
        else:
            alone.append(account)
    return alone
