"""Moves a node to another host; a producer's with a new block-signing key, because keys never move.

1. The new host's agent makes a key. Its node starts with it, and catches up. It signs nothing: no schedule has its key.
2. The agent that has the account's key registers the new one. The account's key stays where it is.
3. The next schedule has the new key. From its first block on, the new host signs instead of the earlier one.
4. Once no schedule needs the earlier key, irreversibly, it is removed, and the node on the earlier host is stopped.

A node without keys is stopped on its earlier host, and begins anew on the other.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from boot.step import NodeMode
from coordinator.agents.link import AgentLink, LinkError
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.state.leases import Leases
from coordinator.state.placements import Placements
from inventory.errors import InventoryError
from inventory.load import glance
from inventory.network import Network, Node
from inventory.placed import Placed
from inventory.ports import free_pair
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import DeadlineError

from .rekeying import check_rekeyable, held_keys, register, registered_key, settle
from .rolling import at_head
from .telling import tell_peers

HOLD_SECONDS = 300.0
STOP_SECONDS = 120.0


async def move(opened: OpenNetwork, node: Node, to: str, reporter: Reporter) -> str:
    """Moves the node to that host, or finishes a move that was begun.

    Raises OperationFailed, UsageProblem, NodeError, DeadlineError.
    """
    if node.account is None and not node.party:
        return await _move_keyless(opened, node, to, reporter)
    account, placements = check_rekeyable(node), Placements(opened.state.journal)
    leaving = placements.leaving(node.name)
    if node.host == to and not leaving:
        return f"{node.name} is on {to} already"
    if leaving and node.host != to:
        raise OperationFailed(f"{node.name} is on its way to {node.host}: finish that first")
    if not await registered_key(opened, account):
        raise OperationFailed(f"{account} is not registered as a producer: there is nothing to move yet")
    network = opened.network if leaving else _moved(opened, placements, node, to)
    new, before = network.node(node.name), leaving or node.host
    if not leaving:
        placements.remember(opened.network)
        await _start(opened, network, new, reporter)
        placements.move(new, before)
    else:
        reporter.note(f"{node.name}: its move from {before} to {to}, which was begun before, continues")
        await _start(opened, network, new, reporter)
    challenge = secrets.token_bytes(32)
    key = (await held_keys(opened, to, account, challenge))[-1]
    await register(opened, replace(node, host=before), key, challenge, reporter)
    await settle(opened, before, account, key.public_key, reporter)
    placements.left(node.name)
    await tell_peers(opened, network, reporter)
    return (
        f"{node.name} signs on {to} with {key.public_key}; on {before} it is stopped, and its block-signing key is "
        f"removed. The account's own key stays on {placements.keepers().get(account, before)}"
    )


async def _move_keyless(opened: OpenNetwork, node: Node, to: str, reporter: Reporter) -> str:
    """The same for a node that signs nothing, which may be in the file with its new host already."""
    placements = Placements(opened.state.journal)
    network = opened.network if node.host == to else _moved(opened, placements, node, to)
    access, new = opened.access.over(network), network.node(node.name)
    for link in _running(opened, node.name, without=to):
        reporter.note(f"{link.name}: {node.name} is stopped")
        await stop_on(link, node.name)
    await _hold(opened, access, to)
    reporter.note(f"{to}: {node.name} starts, and catches up")
    await NodeWork(access, LostNodes(access, opened.sealed), BootLog(opened.state.boot_log)).start(
        node.name, NodeMode.NORMAL
    )
    placements.remember(network)
    await at_head(access, new)
    await tell_peers(opened, network, reporter)
    return f"{node.name} runs on {to}, and is stopped elsewhere; its data is still there"


def _running(opened: OpenNetwork, node: str, *, without: str) -> list[AgentLink]:
    """The operator's other hosts that run a node of that name."""
    parties = {party.name for party in opened.parties.parties()}
    links = [link for host, link in opened.hub.links.items() if host not in parties and host != without]
    return [
        link
        for link in links
        if link.connected
        and any(
            one.name == node and one.state != NodeState.STOPPED for one in (link.status.nodes if link.status else ())
        )
    ]


async def stop_on(link: AgentLink, node: str) -> None:
    """Has an agent stop one of its nodes. Raises OperationFailed."""
    try:
        result = await link.task(pb.StopNode(name=node), deadline=STOP_SECONDS)
    except (LinkError, DeadlineError) as error:
        raise OperationFailed(f"{link.name}: {node} could not be stopped: {error}") from error
    if not result.ok:
        raise OperationFailed(f"{link.name}: {node} could not be stopped: {result.error}")


async def _hold(opened: OpenNetwork, access: NodeAccess, host: str) -> None:
    """Gives a host the sealed network. Raises TaskFailedError."""
    result = await access.link(host).task(pb.Hold(sha256=opened.sealed.manifest), deadline=HOLD_SECONDS)
    if not result.ok:
        raise TaskFailedError(f"{host}: {result.error}", result.retryable)


async def _start(opened: OpenNetwork, network: Network, new: Node, reporter: Reporter) -> None:
    """Makes the key and starts the node on its new host, unless it already runs there."""
    account, access = str(new.account), opened.access.over(network)
    sealed = opened.sealed
    await _hold(opened, access, new.host)
    held = await held_keys(opened, new.host, account, b"")
    if not held:
        held = await held_keys(opened, new.host, account, b"", make=True)
        reporter.note(f"{new.host}: {account} gets the block-signing key {held[-1].public_key}")
    Leases(opened.state.journal).hand_over(account, new.host, held[-1].public_key)
    if not access.running(new):
        reporter.note(f"{new.host}: {new.name} starts, and catches up")
    work = NodeWork(access, LostNodes(access, sealed), BootLog(opened.state.boot_log))
    await work.start(new.name, NodeMode.NORMAL)  # where it runs, that gives it the lease
    await at_head(access, new)


def _moved(opened: OpenNetwork, placements: Placements, node: Node, to: str) -> Network:
    """The network with the node on that host. Raises UsageProblem if the file keeps it on its present one, or if
    something else of the file does not fit.
    """
    ports = _ports(opened.network, node, to)
    remembered = placements.all() | {
        one.name: Placed.of(one) for one in opened.network.nodes if not one.party and one.name != node.name
    }
    remembered[node.name] = Placed(to, node.account or "", *ports)
    source = opened.network.source
    try:
        network = glance(source, lambda _: remembered)
    except InventoryError as error:
        lines = [problem.path for problem in error.problems if problem.path.endswith(".host")]
        if not lines:
            raise UsageProblem(
                f"{source} does not fit {node.name} on {to}: {'; '.join(map(str, error.problems))}"
            ) from error
        raise _named(source, node, f" ({', '.join(lines)})") from error
    if network.node(node.name).asked_host:
        raise _named(source, node)
    return network


def _named(source: Path, node: Node, line: str = "") -> UsageProblem:
    return UsageProblem(
        f"{source} names {node.host} as the host of {node.name}{line}, which keeps it there: remove that line, then "
        "run this again; the new host is remembered"
    )


def _ports(network: Network, node: Node, to: str) -> tuple[int, int]:
    """p2p and HTTP port on the new host: by the usual rule, unless both hosts share an address and thus their ports."""
    address = network.host(to).address
    if network.host(node.host).address != address:
        return 0, 0
    return free_pair(network, address)
