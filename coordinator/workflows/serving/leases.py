"""Tells every host's agent which host may sign for which producer, while a coordinator runs."""

from __future__ import annotations

import asyncio

from coordinator.agents.announcing import Announcer
from coordinator.agents.link import AgentLink
from coordinator.engine.node_specs import lease_message
from coordinator.parties.open_network import OpenNetwork
from coordinator.state.leases import Lease, Leases
from inventory.network import GENESIS_ACCOUNT
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.identity import Kind

LOOK_SECONDS = 1.0


async def tell_leases(opened: OpenNetwork) -> None:
    """Runs until cancelled: tells each connected host's agent once per connection, and again after each change.

    A host that ran a producer's node before there were leases gets its lease now.
    """
    leases = Leases(opened.state.journal)
    held: tuple[Lease, ...] = ()
    announcer = Announcer("the leases", lambda link: (link.hello, held))
    while True:
        _adopt(opened, leases)
        held = leases.all()
        await announcer.tell(_hosts(opened), pb.Leases(leases=[lease_message(lease) for lease in held]))
        await asyncio.sleep(LOOK_SECONDS)


def _adopt(opened: OpenNetwork, leases: Leases) -> None:
    """Gives unassigned leases to the hosts whose nodes run, and settles leases whose holder signs."""
    known = {lease.account: lease for lease in leases.all()}
    for node in opened.network.nodes:
        status = opened.access.status(node)
        if node.party or not node.account or node.account == GENESIS_ACCOUNT or status is None:
            continue
        signs = status.state == NodeState.RUNNING and not status.withheld
        lease = known.get(node.account)
        if lease is None and signs:
            leases.give(node.account, node.host)
        elif lease and not lease.settled and lease.host == node.host and signs:
            leases.settle(node.account)


def _hosts(opened: OpenNetwork) -> list[AgentLink]:
    """The connected agents of the operator's hosts."""
    hosts = {entry.name for entry in opened.hub.register.entries() if entry.kind is Kind.HOST}
    return [link for name, link in opened.hub.links.items() if link.connected and name in hosts]
