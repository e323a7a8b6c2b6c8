"""Which producers' nodes make blocks. A paused one follows the chain and makes none; only its own nodeos knows that."""

from __future__ import annotations

import asyncio
from typing import Final

from antelope.errors import NodeError
from boot.step import Query
from coordinator.advising import typed
from coordinator.agents.link import QUERY_SECONDS
from coordinator.engine.access import NodeAccess
from inventory.network import Node, Role

PATH: Final = "/v1/producer/paused"
SECONDS = 3.0
"""Seconds for a node to answer what is only shown; one that does not is not called paused."""


async def paused(access: NodeAccess) -> tuple[str, ...]:
    """The names of the operator's nodes that run and are paused, in the inventory's order."""
    nodes = [node for node in access.network.nodes if node.account and not node.party and node.role is not Role.GENESIS]
    asked = [node for node in nodes if access.running(node)]
    found = await asyncio.gather(*(_is_paused(access, node, SECONDS) for node in asked))
    return tuple(node.name for node, is_paused in zip(asked, found, strict=True) if is_paused)


async def makes_blocks(access: NodeAccess, node: Node) -> bool:
    """Whether a producer's node runs with its key, and answers that it is not paused."""
    status = access.status(node)
    if status is None or status.withheld or not access.running(node):
        return False
    return await _is_paused(access, node, QUERY_SECONDS) is False


async def _is_paused(access: NodeAccess, node: Node, seconds: float) -> bool | None:
    """None: the node does not answer in time."""
    try:
        async with asyncio.timeout(seconds):
            return await access.ask(Query(PATH, node=node.name)) is True
    except (NodeError, TimeoutError):
        return None


def paused_line(name: str) -> str:
    """What is true of a paused node, and how to end it."""
    return f"{name} is paused: it makes no blocks until {typed('node', 'resume', name)}"
