"""How many places of the schedule parties may have: fewer than can stop the network, unless the operator says more."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from inventory.network import Network
from inventory.share import Seats, parse, seats

Load = Callable[[str], Network]


@pytest.mark.parametrize(
    ("share", "own", "places"),
    [
        ("1/3", 1, 0),
        ("1/3", 2, 0),
        ("1/3", 3, 1),
        ("1/3", 4, 1),
        ("1/3", 5, 2),
        ("1/3", 14, 6),
        ("1/3", 15, 6),
        ("1/3", 21, 6),
        ("1/2", 4, 3),
        ("1/1", 1, 20),
        ("all", 1, 30),
    ],
)
def test_places_by_own_producers(share: str, own: int, places: int) -> None:
    """How many parties fit beside the operator's producers; at most 21 places, where parties may displace own ones."""
    assert seats(parse(share), own) == places


@pytest.mark.parametrize("own", range(1, 22))
def test_without_the_parties_the_others_suffice(own: int) -> None:
    """By default the operator's producers are more than two thirds, which makes blocks irreversible."""
    parties = seats(Fraction(1, 3), own)
    schedule = min(21, own + parties)
    assert schedule - parties >= schedule * 2 // 3 + 1
    more = min(21, own + parties + 1)
    assert more - (parties + 1) < more * 2 // 3 + 1, "one more would be too many"


@pytest.mark.parametrize("text", ["", "1", "0.3", "0/3", "4/3", "1/0", "-1/3", "1/3 ", "ALL", "٣/٤"])
def test_texts_that_are_not_a_share(text: str) -> None:
    """A share that is neither a fraction up to one nor "all" is refused."""
    with pytest.raises(ValueError, match="neither a fraction"):
        parse(text)


def test_it_is_said(network: Load) -> None:
    """Places, limit and key are in one line."""
    assert str(Seats.of(network(""))) == (
        "parties may have 1 of 5 places in the schedule: fewer than 1/3 (parties.share)"
    )
    found = Seats.of(network('[parties]\nshare = "all"'))
    assert "together they can stop the network" in str(found)
    assert found.free == 30


def test_an_awaited_party_takes_a_place(network: Load) -> None:
    """A party that is elected at first counts like those that come later."""
    found = network('[producers]\ncount = 5\n[parties]\nwait_for = ["alice"]')
    assert (Seats.of(found).taken, Seats.of(found).free) == (1, 1)
    assert Seats.of(found, {"alice", "bob"}).free == 0
