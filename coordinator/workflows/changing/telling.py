"""Tells running nodes which peers they have, without a restart."""

from __future__ import annotations

from contextlib import suppress

from coordinator.agents.link import LinkError
from coordinator.engine.access import TaskFailedError
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from inventory.network import Network
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, poll

from .changes import Change, Cost
from .facts import facts_of

REPORT_SECONDS = 10.0
"""For agents to report what their nodes were told."""


async def tell_peers(opened: OpenNetwork, network: Network, reporter: Reporter) -> None:
    """Tells running nodes which peers they have in this network. Names each that could not be told."""
    facts = facts_of(opened.hub, {party.name for party in opened.parties.parties()}, opened.party_endpoints)
    access = opened.access.over(network)
    for change in facts.differences(network):
        if change.cost is Cost.NOTHING and access.running(node := network.node(change.node)):
            kept = [peer for peer in facts.nodes[node.name].spec.peers if peer in facts.parties]
            peers = [*(network.p2p(network.node(peer)) for peer in node.peers), *kept]
            try:
                await access.task(node.host, pb.SetPeers(name=node.name, peers=peers))
            except (TaskFailedError, LinkError, DeadlineError) as error:
                reporter.note(f"{node.host}: {node.name} was not told its peers: {error}; the next boot tells it")


async def left_to_do(opened: OpenNetwork) -> tuple[str, ...]:
    """What still differs from the inventory once the agents have reported what their nodes were told, a line each.

    A host whose agent is away is one line: what runs there is unknown.
    """
    parties = {party.name for party in opened.parties.parties()}
    found: tuple[Change, ...] = ()

    async def told() -> bool:
        nonlocal found
        found = facts_of(opened.hub, parties, opened.party_endpoints).differences(opened.network)
        return not any(change.cost is Cost.NOTHING for change in found)

    with suppress(DeadlineError):  # what differs still is in the answer
        await poll(told, what="agents to report their nodes' peers", deadline=REPORT_SECONDS)
    listed = {host.name for host in opened.network.hosts}
    away = sorted(listed & set(facts_of(opened.hub, parties, opened.party_endpoints).away))
    return (*(f"{host}: its agent is away" for host in away), *(change.line() for change in found))
