"""Reports what goes wrong on hosts while a boot runs: the boot waits for what may come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from coordinator.engine.access import NodeAccess
from support.tasks import beside

LOOK_SECONDS = 1.0
AWAY = "its agent is away; waited for"


@asynccontextmanager
async def watching(access: NodeAccess, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """While the block runs, reports agents that disconnect and reconnect, and nodes that fail, by calling tell."""

    async def watch() -> None:
        before = ailments(access)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = ailments(access)
            for line in news(before, now):
                tell(line)
            before = {who: what for who, what in before.items() if what != AWAY} | now  # no reason is reported twice

    async with beside(watch()):
        yield


def ailments(access: NodeAccess) -> dict[str, str]:
    """What is wrong now: hosts whose agent is not connected, and nodes that failed, with the reason."""
    found = {}
    for node in access.network.nodes:
        link = access.hub.links.get(node.host)
        if link is None or not link.connected:
            found[node.host] = AWAY
        elif (status := access.status(node)) is not None and status.state == "failed":
            found[f"{node.host}: {node.name}"] = status.detail.removeprefix(f"node {node.name}: ")
    return found


def news(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Lines for what is newly wrong, and for agents that are back."""
    lines = [f"{who}: {what}" for who, what in now.items() if before.get(who) != what]
    return lines + [f"{who}: its agent is back" for who, what in before.items() if what == AWAY and who not in now]
