"""Has agents store the sealed network."""

from __future__ import annotations

import asyncio

from coordinator.agents.link import AgentLink, LinkError
from coordinator.errors import OperationFailed
from coordinator.parties.awaiting import present
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError

HOLD_SECONDS = 120.0
"""Enough to fetch contracts and a large allocation over a slow connection."""


async def hold(opened: OpenNetwork, sealed: Sealed, reporter: Reporter) -> None:
    """Has the connected agents of hosts, and of parties in wait_for, store the sealed network.

    The boot continues without a host that fails to, as it does without one that is away; steps that need that host fail
    with its reason. Raises OperationFailed if it is the genesis node's host.
    """
    names = {host.name for host in opened.network.hosts} | {party.name for party in present(opened).values()}
    links = [link for link in opened.hub.links.values() if link.connected and link.name in names]
    body = pb.Hold(sha256=sealed.manifest)
    results = await asyncio.gather(*(_take(link, body) for link in links))
    for link, trouble in zip(links, results, strict=True):
        if trouble and link.name == opened.network.genesis_node.host:
            raise OperationFailed(f"{link.name}: {trouble}")
        if trouble:
            reporter.note(f"{link.name}: it cannot store the sealed network: {trouble}; the boot continues without it")


async def _take(link: AgentLink, body: pb.Hold) -> str:
    """Has the agent store it. Returns why it failed; empty if it is stored."""
    try:
        result = await link.task(body, deadline=HOLD_SECONDS)
    except (LinkError, DeadlineError) as error:
        return str(error)
    return "" if result.ok else result.error or "its agent gave no reason"
