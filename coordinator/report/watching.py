"""Reports what goes wrong on hosts while a boot runs. The boot waits for what may come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from coordinator.engine.access import NodeAccess
from coordinator.report.health import COPY, lost
from protos.states import NodeState
from support.json_log import about
from support.tasks import beside

LOOK_SECONDS = 1.0
Place = tuple[str, str]
"""A host and one of its nodes; an empty node means the host's agent."""
AWAY = "its agent is away; waited for"


@asynccontextmanager
async def watching(access: NodeAccess, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """While the block runs, reports agents that disconnect and reconnect, and nodes that fail."""

    async def watch() -> None:
        before = ailments(access)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = ailments(access)
            for host, line in news(before, now):
                with about(host=host):
                    tell(line)
            before = {who: what for who, what in before.items() if what != AWAY} | now  # report no reason twice

    async with beside(watch()):
        yield


def ailments(access: NodeAccess) -> dict[Place, str]:
    """The present problems, with the reason: hosts that are away or have lost keys, and nodes that failed or may not
    sign.
    """
    found = {}
    for node in access.network.nodes:
        link = access.hub.links.get(node.host)
        if link is not None and link.connected and link.status and link.status.lost_keys and not node.party:
            found[node.host, "keys"] = lost("; ".join(link.status.lost_keys))
        if link is not None and link.contested:
            found[node.host, ""] = COPY
        elif link is None or not link.connected:
            found[node.host, ""] = AWAY
        elif (status := access.status(node)) is not None and status.state == NodeState.FAILED:
            found[node.host, node.name] = status.detail
        elif status is not None and (status.withheld or status.doubles):
            found[node.host, node.name] = f"{node.name}: {status.withheld or status.doubles[-1]}"
    return found


def news(before: Mapping[Place, str], now: Mapping[Place, str]) -> list[tuple[str, str]]:
    """Each host with a new problem, or whose agent is back, and the line that says so."""
    lines = [(place[0], f"{place[0]}: {what}") for place, what in now.items() if before.get(place) != what]
    back = [place[0] for place, what in before.items() if what == AWAY and place not in now]
    return lines + [(host, f"{host}: its agent is back") for host in back]
