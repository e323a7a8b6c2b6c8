"""Which parties are voted for: as many as the inventory's share of the schedule allows; nobody is voted out."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.parties.progress import ChainView
from coordinator.parties.voting import choose, seats
from inventory.load import load
from inventory.network import Network


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """Five own producers, beside which two parties may be."""
    path = tmp_path / "net.toml"
    path.write_text('[network]\nname = "net"\n[producers]\ncount = 5\n')
    return load(path)


def chain(network: Network, *voted: str, gone: tuple[str, ...] = ()) -> ChainView:
    """The own ones and these are voted for, and registered unless they are gone."""
    names = (*network.elected, *voted)
    return ChainView(voted=frozenset(names), registered={name: "EOS" for name in names if name not in gone})


def test_as_many_as_there_are_places_in_the_order_they_came(network: Network) -> None:
    """Two of three; the third waits until the share is raised."""
    vote = choose(network, network.elected, ("p1", "p2", "p3"), chain(network))
    assert vote.producers == (*network.elected, "p1", "p2")
    assert vote.new == ("p1", "p2")


def test_those_voted_for_keep_their_places(network: Network) -> None:
    """A newcomer takes what is left, even if it joined first."""
    vote = choose(network, network.elected, ("p1", "p2", "p3"), chain(network, "p3"))
    assert vote.producers == (*network.elected, "p1", "p3")
    assert vote.new == ("p1",)
    full = chain(network, "p2", "p3")
    assert choose(network, network.elected, ("p1", "p2", "p3"), full).new == ()
    assert seats(network, full).free == 0


def test_who_is_away_keeps_its_place_and_who_is_unregistered_does_not(network: Network) -> None:
    """An absent party is not voted out; one that is no longer a producer cannot be voted for, and frees its place."""
    away = choose(network, network.elected, ("p1", "p2"), chain(network, "p8"))
    assert away.producers == (*network.elected, "p1", "p8")
    left = choose(network, network.elected, ("p1", "p2"), chain(network, "p8", gone=("p8",)))
    assert left.producers == (*network.elected, "p1", "p2")


def test_more_than_the_limit_are_not_voted_out(network: Network) -> None:
    """An older network keeps those that its voters chose; nobody is added."""
    vote = choose(network, network.elected, ("p4",), chain(network, "p1", "p2", "p3"))
    assert vote.new == ()
    assert set(vote.producers) == {*network.elected, "p1", "p2", "p3"}
