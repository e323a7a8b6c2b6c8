"""Tells every agent the endpoints of producers' nodes. After a total outage there may be no coordinator to ask."""

from __future__ import annotations

import asyncio

from coordinator.agents.announcing import Announcer
from coordinator.agents.link import AgentLink
from coordinator.parties.neighbours import producers
from coordinator.parties.open_network import OpenNetwork
from protos import coordination_pb2 as pb

LOOK_SECONDS = 1.0


async def tell_producers(opened: OpenNetwork) -> None:
    """Runs until cancelled: tells each connected agent once, and again whenever an endpoint is added or changes."""
    endpoints: tuple[str, ...] = ()
    announcer = Announcer("the producers' endpoints", lambda _: endpoints)
    while True:
        endpoints = producers(opened.network, opened.parties.parties())
        await announcer.tell(_listening(opened), pb.Producers(endpoints=endpoints))
        await asyncio.sleep(LOOK_SECONDS)


def _listening(opened: OpenNetwork) -> list[AgentLink]:
    """The connected agents of hosts, and of parties whose registration was accepted."""
    unknown = {party.name for party in opened.parties.parties() if not party.accepted}
    return [link for name, link in opened.hub.links.items() if link.connected and name not in unknown]
