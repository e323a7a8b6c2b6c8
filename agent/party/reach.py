"""Which addresses a party's node may dial. Its own operator decides, not the coordinator.

A node inside somebody's network can reach what strangers cannot. So endpoints are judged by the addresses that their
names have, all of them, and nodeos is given an address that was judged: a name could have another one a moment later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from inventory.reach import Reach, reach_of
from support.endpoint import Endpoint
from support.resolving import Resolve, resolve
from support.texts import plain

log = logging.getLogger(__name__)

SECONDS = 5.0
"""Seconds to look up one name."""
AT_ONCE = 16
"""Names that are looked up at the same time."""


@dataclass(frozen=True)
class Judged:
    """The endpoints that may be dialled, and those that may not."""

    dialled: tuple[str, ...]
    """ADDRESS:PORT of those that may be dialled."""
    refused: tuple[str, ...]
    """Why the others may not, a line each."""
    missing: tuple[str, ...]
    """Those whose names have no address now."""


async def judge(endpoints: Sequence[str], rule: Reach, resolver: Resolve | None = None) -> Judged:
    """Looks the names up. endpoints: HOST:PORT each; rule: how near an address may be."""
    slots, look = asyncio.Semaphore(AT_ONCE), resolver or resolve

    async def addresses(host: str) -> tuple[str, ...]:
        async with slots:
            try:
                async with asyncio.timeout(SECONDS):
                    return await look(host)
            except TimeoutError:
                return ()

    parsed = [Endpoint.parse(endpoint) for endpoint in endpoints]
    found = await asyncio.gather(*(addresses(endpoint.host) for endpoint in parsed))
    dialled, refused, missing = [], [], []
    for endpoint, known in zip(parsed, found, strict=True):
        wrong = next((why for address in known if (why := objection(address, rule))), "")
        if wrong:
            refused.append(f"the peer {plain(str(endpoint), 100)} {wrong}")
        elif known:
            dialled.append(str(Endpoint(min(known, key=lambda address: ":" in address), endpoint.port)))
        else:
            missing.append(str(endpoint))
    return Judged(tuple(dict.fromkeys(dialled)), tuple(refused), tuple(missing))


def objection(address: str, rule: Reach) -> str:
    """Why an IP address may not be dialled; empty if it may."""
    reach = reach_of(address)
    if reach is None:
        return f"is at {address}, which no node can have (link-local, multicast or reserved)"
    if rule.bears(reach):
        return ""
    return (
        f"is at {address}, a {reach} address, and this party's node dials {rule} ones only: say --peers {reach}, or "
        f'peers = "{reach}" in party.toml, if that is meant'
    )


def own_reach(endpoint: str) -> Reach:
    """How near others must be to dial an endpoint of one's own; a DNS name counts as public, but localhost."""
    host = Endpoint.parse(endpoint).host
    if host == "localhost":
        return Reach.LOOPBACK
    try:
        return reach_of(host) or Reach.PUBLIC
    except ValueError:
        return Reach.PUBLIC
