"""Tells every host's agent who may sign for which producer, as long as a coordinator runs."""

from __future__ import annotations

import asyncio
import logging

from coordinator.agents.link import AgentLink, LinkError
from coordinator.engine.node_specs import lease_message
from coordinator.parties.open_network import OpenNetwork
from coordinator.state.leases import Lease, Leases
from inventory.network import GENESIS_ACCOUNT
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import DeadlineError
from support.tls import Kind

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TELL_SECONDS = 10.0


async def tell_leases(opened: OpenNetwork) -> None:
    """Runs until cancelled: tells each connected host's agent once per connection, and again after each change.

    A host that ran a producer's node before there were leases gets its lease now.
    """
    leases = Leases(opened.state.journal)
    told: dict[str, tuple[object, tuple[Lease, ...]]] = {}
    while True:
        _adopt(opened, leases)
        held = leases.all()
        due = [link for link in _hosts(opened) if told.get(link.name) != (link.hello, held)]
        for link, heard in zip(due, await asyncio.gather(*(_tell(link, held) for link in due)), strict=True):
            if heard:
                told[link.name] = link.hello, held
        await asyncio.sleep(LOOK_SECONDS)


def _adopt(opened: OpenNetwork, leases: Leases) -> None:
    """Gives leases that nobody has to the hosts whose nodes run, and settles those whose holder signs."""
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


async def _tell(link: AgentLink, leases: tuple[Lease, ...]) -> bool:
    """Tells one agent. Returns whether it need not be told again: it keeps them, or never will."""
    try:
        result = await link.task(pb.Leases(leases=[lease_message(lease) for lease in leases]), deadline=TELL_SECONDS)
    except (LinkError, DeadlineError):
        return False
    if not result.ok:
        log.warning("%s does not keep the leases: %s", link.name, result.error)
    return result.ok or not result.retryable
