"""The schedule as a clock, worked out from headers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from antelope.elections import BLOCKS_PER_TURN
from coordinator.report.rounds import Header, Seat, SeatState, missing, seats, slot_at, wanted

ABC = ("alice", "bob", "carol")


def chain(first: int, last: int, absent: Collection[str] = (), schedule: int = 1) -> Iterator[Header]:
    """The headers of the turns from first to before last, without those of the absent."""
    number = 100
    for slot in range(first * BLOCKS_PER_TURN, last * BLOCKS_PER_TURN):
        producer = ABC[slot // BLOCKS_PER_TURN % 3]
        if producer not in absent:
            number += 1
            yield Header(number, slot, producer, schedule)


def test_a_healthy_round() -> None:
    """Turn 6 is alice's (6 mod 3 = 0); the others made 12 blocks each."""
    now = 6 * BLOCKS_PER_TURN + 3
    headers = [*chain(3, 6), *(Header(200 + slot, slot, "alice", 1) for slot in range(6 * BLOCKS_PER_TURN, now + 1))]
    assert seats(ABC, 1, headers, now) == (
        Seat("alice", SeatState.NOW, 4), Seat("bob", SeatState.SIGNED, 12), Seat("carol", SeatState.SIGNED, 12),
    )  # fmt: skip
    assert missing(seats(ABC, 1, headers, now)) == ()


def test_who_misses_a_turn() -> None:
    """bob was absent in turn 4; part of a turn does not count as absence."""
    headers = [header for header in chain(3, 6, absent={"bob"}) if header.slot % BLOCKS_PER_TURN < 9]
    found = seats(ABC, 1, headers, 6 * BLOCKS_PER_TURN)
    assert missing(found) == ("bob",)
    assert found[2] == Seat("carol", SeatState.SIGNED, 9)


def test_a_chain_that_stands() -> None:
    """As time passes: after two rounds without a block, every producer whose turn is over has missed it."""
    found = seats(ABC, 1, list(chain(3, 6)), 12 * BLOCKS_PER_TURN)
    assert missing(found) == ABC
    assert found[0] == Seat("alice", SeatState.NOW, 0, absent=True)


def test_what_was_not_observed_is_not_judged() -> None:
    """Neither turns before the first header, nor the one in progress, nor those of an earlier schedule."""
    headers = [header for header in chain(4, 6) if header.slot > 4 * BLOCKS_PER_TURN]
    found = seats(ABC, 1, headers, 6 * BLOCKS_PER_TURN)
    assert [seat.state for seat in found] == [SeatState.NOW, SeatState.UNKNOWN, SeatState.SIGNED]
    later = [*chain(3, 5), *chain(5, 6, schedule=2)]
    assert [seat.state for seat in seats(ABC, 2, later, 6 * BLOCKS_PER_TURN)] == [
        SeatState.NOW, SeatState.UNKNOWN, SeatState.SIGNED,
    ]  # fmt: skip
    assert [seat.state for seat in seats(ABC, 1, [], 6 * BLOCKS_PER_TURN)][1:] == [SeatState.UNKNOWN] * 2
    assert [seat.state for seat in seats(ABC, 2, chain(3, 6), 6 * BLOCKS_PER_TURN)][1:] == [SeatState.UNKNOWN] * 2
    assert seats((), 1, [], 5) == ()


def test_one_producer() -> None:
    """Before the election, every turn is eosio's."""
    assert seats(("eosio",), 0, [Header(1, 12, "eosio", 0)], 13) == (Seat("eosio", SeatState.NOW, 1),)


def test_slots() -> None:
    """2000-01-01T00:00:06.5 is the 13th half second."""
    assert slot_at(946684806.5) == 13


def test_what_is_still_to_be_read() -> None:
    """At most two rounds: 72 blocks of three producers."""
    assert wanted(1000, ABC, 998) == range(999, 1001)
    assert wanted(1000, ABC, 0) == range(929, 1001)
    assert wanted(5, ABC, 0) == range(1, 6)
    assert not wanted(1000, ABC, 1000)
