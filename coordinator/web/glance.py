"""Reads what a boot's pulse shows of the chain: head, LIB, schedules and votes, and no blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from antelope.errors import NodeError
from boot.step import Query
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.chain import foremost
from coordinator.web.view import Votes
from coordinator.web.vote_reader import VoteReader
from inventory.network import Node


@dataclass(frozen=True)
class Glance:
    """The chain at one look; 0 and empty if no node answered."""

    head: int = 0
    lib: int = 0
    schedule: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    """The producers of a schedule that is proposed or pending."""
    votes: Votes | None = None


class GlanceReader:
    """Remembers the votes, which are read less often than the rest."""

    def __init__(self, opened: OpenNetwork) -> None:
        self._opened = opened
        self._votes = VoteReader()

    async def look(self) -> Glance:
        """The chain as seen by the first node that answers. The node with the highest head is asked first."""
        for node in foremost(self._opened):
            try:
                return await self._seen_by(node)
            except NodeError:
                continue
        return Glance(votes=self._votes.latest)

    async def _seen_by(self, node: Node) -> Glance:
        async def ask(query: Query) -> Any:
            return await self._opened.access.ask(replace(query, node=node.name))

        info = await ask(Query("/v1/chain/get_info"))
        schedules = await ask(Query("/v1/chain/get_producer_schedule"))
        votes = await self._votes.look(self._opened.state.sealed, ask)
        head, lib = int(info["head_block_num"]), int(info["last_irreversible_block_num"])
        return Glance(head, lib, active(schedules), coming(schedules), votes)


def active(schedules: Any) -> tuple[str, ...]:
    """The producers of the active schedule, from get_producer_schedule's answer."""
    return _names(schedules["active"])


def coming(schedules: Any) -> tuple[str, ...]:
    """The producers of a schedule that is proposed or pending, and differs from the active one; else empty."""
    found = (schedules.get(name) for name in ("proposed", "pending"))
    waiting = next((_names(schedule) for schedule in found if schedule and schedule.get("producers")), ())
    return waiting if waiting != active(schedules) else ()


def _names(schedule: Any) -> tuple[str, ...]:
    return tuple(str(entry["producer_name"]) for entry in schedule["producers"])
