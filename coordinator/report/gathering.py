"""Gathers the state of a network from agents, nodes and the journal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from boot.plan import make_plan
from boot.steps import steps_of
from boot.steps.accounts import STEP as ACCOUNTS
from boot.steps.resign import STEP as RESIGN
from coordinator.engine.pausing import paused
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.chain import ChainState, look
from coordinator.report.status import AWAY, CONNECTED, UNKNOWN, HostRow, NetworkStatus, NodeRow, phase
from inventory.network import Network, Node
from inventory.share import Seats
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support import node_processes
from support.texts import plain


async def gather(opened: OpenNetwork, chain: ChainState | None = None) -> NetworkStatus:
    """Gathers the report from the connected agents. chain: if it was read already, as for the status page, which does
    not ask each node whether it is paused.
    """
    sealed = opened.state.sealed
    pausing = await paused(opened.access) if chain is None else ()
    nodes = tuple(_node_row(opened, name) for name in (node.name for node in opened.network.nodes))
    steps = opened.state.steps()
    chain = chain or await look(opened)
    parties = opened.parties.parties()
    accounts = {party.account for party in parties}
    return NetworkStatus(
        network=opened.network.name,
        chain_id=sealed.chain_id if sealed else None,
        manifest=sealed.manifest if sealed else None,
        phase=phase(sealed is not None, steps, {row.state for row in nodes}, chain.moves, _last(opened.network)),
        head=max([chain.head, *(row.head for row in nodes)]),
        head_age=chain.age,
        stands=chain.age is not None and not chain.moves,
        lib=max([chain.lib, *(row.lib for row in nodes)]),
        schedule=chain.schedule,
        silent=chain.silent,
        paused=tuple(str(opened.network.node(name).account) for name in pausing),
        nodes=nodes,
        hosts=tuple(_host_row(opened, host.name) for host in opened.network.hosts),
        unlisted=_unlisted(opened, {party.name for party in parties}),
        steps=steps,
        parties=parties,
        seats=replace(Seats.of(opened.network), taken=len(accounts & set(chain.schedule))) if parties else None,
        planned=_planned(opened.network),
    )


def planned(network: Network) -> NetworkStatus:
    """The report of a network that was never booted."""
    nodes = tuple(
        NodeRow(node.name, node.host, node.account or "", node.role.value, network.p2p(node), _http(node.http_port),
                NodeState.STOPPED, 0, 0, 0, "", api=node.api, history=node.history)
        for node in network.nodes
    )  # fmt: skip
    return NetworkStatus(
        network.name, None, None, phase(False, {}, (), None), 0, None, False, 0, (), (), nodes,
        tuple(HostRow(host.name, AWAY, None, None) for host in network.hosts), {},
        planned=_planned(network),
    )  # fmt: skip


def _planned(network: Network) -> tuple[str, ...]:
    return tuple(step.name for step in make_plan(steps_of(network)).steps)


def _last(network: Network) -> str:
    """The step that makes it live."""
    return ACCOUNTS.name if network.solo else RESIGN.name


def _http(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _node_row(opened: OpenNetwork, name: str) -> NodeRow:
    node = opened.network.node(name)
    link = opened.hub.links.get(node.host)
    status = opened.access.status(node)
    state = status.state if status else (NodeState.STOPPED if link and link.connected else _unreported(opened, node))
    return NodeRow(
        node.name, node.host, node.account or "", node.role.value, opened.network.p2p(node), _http(node.http_port),
        state, status.head if status else 0, status.lib if status else 0, status.peers if status else 0,
        status.detail if status else "", status is not None and status.mode == pb.MODE_AUDIT,
        status.since if status else 0,
        status.withheld if status else "", tuple(status.doubles) if status else (),
        node.api, node.history,
    )  # fmt: skip


def _unreported(opened: OpenNetwork, node: Node) -> str:
    """The state of a node whose agent is not connected; on this machine its process can be looked up."""
    if not opened.network.host(node.host).local:
        return UNKNOWN
    folder = opened.state.host_data(node.host) / "nodes" / node.name
    return NodeState.RUNNING if folder.exists() and node_processes.running(folder) else NodeState.STOPPED


def _host_row(opened: OpenNetwork, name: str) -> HostRow:
    link = opened.hub.links.get(name)
    if link is None or not link.connected:
        return HostRow(name, AWAY, None, None, link is not None and link.contested)
    free = link.status.disk_free if link.status else None
    lost = tuple(link.status.lost_keys) if link.status else ()
    return HostRow(name, CONNECTED, link.clock_offset, free, link.contested, lost)


def _unlisted(opened: OpenNetwork, parties: Collection[str]) -> dict[str, tuple[str, ...]]:
    listed = {host.name for host in opened.network.hosts}
    return {
        name: tuple(plain(node.name) for node in link.status.nodes if node.state != NodeState.STOPPED)
        for name, link in opened.hub.links.items()
        if name not in listed and name not in parties and link.connected and not link.revoked and link.status
    }
