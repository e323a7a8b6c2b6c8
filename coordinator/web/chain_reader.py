"""Reads what the page shows of the chain: headers, each once, the schedules, and the votes."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from antelope.elections import BLOCKS_PER_TURN
from antelope.errors import NodeError
from boot.claims import chain_time
from boot.step import Query
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.chain import ChainState, foremost, head_age, host_time, patience
from coordinator.report.rounds import Header, Seat, missing, seats, slot_at, wanted
from coordinator.web.glance import active, coming
from coordinator.web.view import Votes
from coordinator.web.vote_reader import VoteReader
from inventory.network import Node

AT_ONCE = 30
"""Headers that one look reads at most: few enough not to slow a boot down. A chain makes two per second."""
ARRIVAL = 2
"""Slots that may pass until a block is seen; a turn is judged this much later."""
FORK = 2 * BLOCKS_PER_TURN
"""Headers that are read again after a fork; forks at the change of turns are one or two blocks long."""


@dataclass(frozen=True)
class SeenChain:
    """The chain at one look."""

    view: ChainState = field(default_factory=ChainState)
    seats: tuple[Seat, ...] = ()
    next: tuple[str, ...] = ()
    """The producers of a schedule that is proposed or pending."""
    votes: Votes | None = None


class PageChainReader:
    """Remembers the headers of the latest two rounds."""

    def __init__(self, opened: OpenNetwork) -> None:
        self._opened = opened
        self._headers: deque[Header] = deque()
        self._votes = VoteReader()
        self._head, self._rose = 0, -math.inf

    async def look(self) -> SeenChain:
        """The chain as seen by the first node that answers. The node with the highest head is asked first."""
        for node in foremost(self._opened):
            try:
                return await self._seen_by(node)
            except NodeError:
                continue
        return SeenChain(votes=self._votes.latest)

    async def _seen_by(self, node: Node) -> SeenChain:
        info = await self._ask(node, "get_info")
        schedules = await self._ask(node, "get_producer_schedule")
        schedule = active(schedules)
        head, age = int(info["head_block_num"]), head_age(self._opened, node, info)
        await self._read_headers(node, head, schedule)
        rises = self._rises(head, patience(schedule))
        moves = rises or age <= patience(schedule)
        found = seats(
            schedule,
            int(schedules["active"]["version"]),
            self._headers,
            slot_at(host_time(self._opened, node)) - ARRIVAL,
        )
        silent = missing(found) if moves else schedule
        view = ChainState(head, age, moves, int(info["last_irreversible_block_num"]), schedule, silent)

        async def call(query: Query) -> Any:
            return await self._opened.access.ask(replace(query, node=node.name))

        votes = await self._votes.look(self._opened.state.sealed, call)
        return SeenChain(view, found, coming(schedules), votes)

    def _rises(self, head: int, seconds: float) -> bool:
        """Whether blocks arrive although the head seems old: a clock may be wrong."""
        if head > self._head > 0:
            self._rose = time.monotonic()
        self._head = head
        return time.monotonic() - self._rose < seconds

    async def _read_headers(self, node: Node, head: int, schedule: Sequence[str]) -> None:
        """Reads new headers, then older ones of the latest two rounds, a few at each look."""
        await self._forget_dropped(node, head)
        numbers = wanted(head, schedule, self._headers[-1].number if self._headers else 0)
        if len(numbers) > AT_ONCE:
            self._headers.clear()
            numbers = numbers[-AT_ONCE:]
        self._headers.extend(await self._fetch(node, numbers))
        keep = wanted(head, schedule, 0).start
        while self._headers and self._headers[0].number < keep:
            self._headers.popleft()
        if self._headers:
            first = self._headers[0].number
            older = range(max(keep, first - AT_ONCE + len(numbers)), first)
            self._headers.extendleft(reversed(await self._fetch(node, older)))

    async def _forget_dropped(self, node: Node, head: int) -> None:
        """Forgets headers that this node does not have: those after its head, and of blocks that a fork replaced."""
        while self._headers and self._headers[-1].number > head:
            self._headers.pop()
        if self._headers and await self._fetch(node, [self._headers[-1].number]) != [self._headers[-1]]:
            for _ in range(min(len(self._headers), FORK)):
                self._headers.pop()

    async def _fetch(self, node: Node, numbers: Iterable[int]) -> list[Header]:
        blocks = (self._ask(node, "get_block_info", {"block_num": number}) for number in numbers)
        return [_header(block) for block in await asyncio.gather(*blocks)]

    async def _ask(self, node: Node, call: str, body: Any = None) -> Any:
        return await self._opened.access.ask(Query(f"/v1/chain/{call}", body, node=node.name))


def _header(block: Any) -> Header:
    slot = slot_at(chain_time(str(block["timestamp"])).timestamp())
    return Header(int(block["block_num"]), slot, str(block["producer"]), int(block["schedule_version"]))
