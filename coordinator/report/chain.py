"""The chain as one of the operator's nodes sees it: head, LIB, schedule, and whether blocks arrive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from antelope.elections import BLOCKS_PER_TURN, TURN_SECONDS
from antelope.errors import NodeError
from boot.claims import chain_time
from boot.step import Query
from coordinator.parties.open_network import OpenNetwork
from inventory.network import Node
from support.retry import DeadlineError, poll

AGAIN_SECONDS = 2.0
"""Seconds to wait for a new block if the head seems old: a clock may be wrong although blocks arrive."""


MARGIN_SECONDS = 1.0
"""Two blocks, because a block takes time to arrive."""


@dataclass(frozen=True)
class ChainState:
    """The chain as seen by the node with the highest head."""

    head: int = 0
    age: float | None = None
    """Seconds since its latest block; None if no node answered."""
    moves: bool | None = None
    lib: int = 0
    schedule: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


def patience(schedule: Collection[str]) -> float:
    """Seconds that a healthy chain may go without a block: up to a third of its producers may be absent in a row."""
    return TURN_SECONDS * (len(schedule) // 3 + 1) + MARGIN_SECONDS


async def look(opened: OpenNetwork) -> ChainState:
    """Asks the operator's node that reports the highest head, and others if it does not answer."""
    for node in foremost(opened):
        try:
            return await _seen_by(opened, node)
        except NodeError:
            continue
    return ChainState()


def foremost(opened: OpenNetwork) -> list[Node]:
    """The operator's running nodes, those with the highest head first. The audit node, which has only irreversible
    blocks, comes last.
    """

    def head(node: Node) -> int:
        status = opened.access.status(node)
        return status.head if status else 0

    nodes = [node for node in opened.network.nodes if opened.access.running(node) and not node.party]
    return sorted(nodes, key=head, reverse=True)


async def _seen_by(opened: OpenNetwork, node: Node) -> ChainState:
    info = await _info(opened, node)
    answer = await opened.access.ask(Query("/v1/chain/get_producer_schedule", node=node.name))
    schedule = tuple(str(entry["producer_name"]) for entry in answer["active"]["producers"])
    head, age = int(info["head_block_num"]), head_age(opened, node, info)
    moves = age <= patience(schedule) or await _comes_another(opened, node, head)
    silent = await _silent(opened, node, head, schedule) if moves else schedule
    return ChainState(head, age, moves, int(info["last_irreversible_block_num"]), schedule, silent)


async def _info(opened: OpenNetwork, node: Node) -> Mapping[str, Any]:
    info: Mapping[str, Any] = await opened.access.ask(Query("/v1/chain/get_info", node=node.name))
    return info


def head_age(opened: OpenNetwork, node: Node, info: Mapping[str, Any]) -> float:
    """The head's age in seconds by the clock of the node's host: this machine's may be wrong."""
    return max(0.0, host_time(opened, node) - chain_time(str(info["head_block_time"])).timestamp())


def host_time(opened: OpenNetwork, node: Node) -> float:
    """Unix seconds by the clock of the node's host."""
    link = opened.hub.links.get(node.host)
    return time.time() + ((link.clock_offset or 0.0) if link else 0.0)


async def _comes_another(opened: OpenNetwork, node: Node, head: int) -> bool:
    async def higher() -> bool:
        return int((await _info(opened, node))["head_block_num"]) > head

    try:
        return await poll(higher, what="a new block", deadline=AGAIN_SECONDS)
    except DeadlineError:
        return False


async def _silent(opened: OpenNetwork, node: Node, head: int, schedule: tuple[str, ...]) -> tuple[str, ...]:
    """Reads two blocks per turn over a whole round plus one turn, so that it misses no producer's turn. While the
    schedule is younger than that, no producer counts as silent.
    """
    if len(schedule) < 2:  # a sole producer signs every block
        return ()
    numbers = range(max(1, head - BLOCKS_PER_TURN * (len(schedule) + 1)), head + 1, BLOCKS_PER_TURN // 2)
    asked = (
        opened.access.ask(Query("/v1/chain/get_block_info", {"block_num": number}, node=node.name))
        for number in numbers
    )
    blocks = await asyncio.gather(*asked)
    if len({block.get("schedule_version") for block in blocks}) > 1:
        return ()
    signers = {str(block["producer"]) for block in blocks}
    return tuple(name for name in schedule if name not in signers)
