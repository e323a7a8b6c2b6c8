"""The schedule as a clock, from block headers: whose turn it is, and which producers missed their latest turn. Pure.

nodeos divides time into slots of half a second and gives every producer 12 of them in a row: the turn with number t
belongs to the producer t mod n of the active schedule (`get_scheduled_producer`, block_header_state.cpp of
AntelopeIO/leap). So a missed turn can be seen by its slots, without waiting for the producer that missed it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from antelope.elections import BLOCK_SECONDS, BLOCKS_PER_TURN

EPOCH = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
"""The beginning of slot 0, in Unix seconds."""


class SeatState(StrEnum):
    """What is known about a producer's latest turn."""

    NOW = "now"
    """It is its turn."""
    SIGNED = "signed"
    """It made blocks in its latest turn."""
    MISSED = "missed"
    """It made none."""
    UNKNOWN = "unknown"
    """Its latest turn was before what was observed."""


@dataclass(frozen=True)
class Header:
    """What a block's header says."""

    number: int
    slot: int
    producer: str
    schedule: int
    """The version of the schedule that it was made under."""


@dataclass(frozen=True)
class Seat:
    """A producer's place in the schedule."""

    account: str
    state: SeatState
    made: int
    """Blocks of the 12 that it made in its latest turn that has ended; of the running one if it is its turn."""
    absent: bool = False
    """It made none in its latest turn that has ended, nor in the running one."""


def slot_at(seconds: float) -> int:
    """The slot of a time in Unix seconds."""
    return int((seconds - EPOCH) / BLOCK_SECONDS)


def seats(schedule: Sequence[str], version: int, headers: Iterable[Header], now: int) -> tuple[Seat, ...]:
    """Every producer's place, in the schedule's order.

    version: the schedule's. headers: of consecutive blocks, oldest first; those of other schedules are left out. now:
    the current slot.
    """
    seen = [one for one in headers if one.schedule == version]
    made = Counter(one.slot // BLOCKS_PER_TURN for one in seen if one.producer in schedule)
    first = (
        -(-seen[0].slot // BLOCKS_PER_TURN) if seen else math.inf
    )  # the first turn that was observed from its beginning
    current = now // BLOCKS_PER_TURN
    return tuple(_seat(account, place, len(schedule), made, first, current) for place, account in enumerate(schedule))


def missing(found: Iterable[Seat]) -> tuple[str, ...]:
    """The producers that made no block in their latest turn, nor in the running one."""
    return tuple(seat.account for seat in found if seat.absent)


def wanted(head: int, schedule: Collection[str], known: int) -> range:
    """Numbers of the blocks whose headers are still to be read: those after `known` within the latest two rounds."""
    rounds = 2 * BLOCKS_PER_TURN * max(1, len(schedule))
    return range(max(1, known + 1, head - rounds + 1), head + 1)


def _seat(account: str, place: int, producers: int, made: Counter[int], first: float, current: int) -> Seat:
    if current % producers == place:
        before = current - producers
        return Seat(account, SeatState.NOW, made[current], before >= first and not made[before] + made[current])
    latest = current - (current - place) % producers
    if latest < first:
        return Seat(account, SeatState.UNKNOWN, 0)
    if made[latest]:
        return Seat(account, SeatState.SIGNED, made[latest])
    return Seat(account, SeatState.MISSED, 0, absent=True)
