"""Tells every agent the endpoints of producers' nodes. After a total outage there may be no coordinator to ask."""

from __future__ import annotations

import asyncio
import logging

from coordinator.agents.link import AgentLink, LinkError
from coordinator.parties.neighbours import producers
from coordinator.parties.open_network import OpenNetwork
from protos import coordination_pb2 as pb
from support.retry import DeadlineError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TELL_SECONDS = 10.0


async def tell_producers(opened: OpenNetwork) -> None:
    """Runs until cancelled: tells each connected agent once, and again whenever an endpoint is added or changes."""
    told: dict[str, tuple[str, ...]] = {}
    while True:
        endpoints = producers(opened.network, opened.parties.parties())
        due = [link for link in _listening(opened) if told.get(link.name) != endpoints]
        for link, heard in zip(due, await asyncio.gather(*(_tell(link, endpoints) for link in due)), strict=True):
            if heard:
                told[link.name] = endpoints
        await asyncio.sleep(LOOK_SECONDS)


def _listening(opened: OpenNetwork) -> list[AgentLink]:
    """The connected agents of hosts, and of parties whose registration was accepted."""
    unknown = {party.name for party in opened.parties.parties() if not party.accepted}
    return [link for name, link in opened.hub.links.items() if link.connected and name not in unknown]


async def _tell(link: AgentLink, endpoints: tuple[str, ...]) -> bool:
    """Tells one agent. Returns whether it answered, so that it need not be told again."""
    try:
        result = await link.task(pb.Producers(endpoints=endpoints), deadline=TELL_SECONDS)
    except (LinkError, DeadlineError):
        return False
    if not result.ok:
        log.info("%s does not keep the producers' endpoints: %s", link.name, result.error)
    return True
