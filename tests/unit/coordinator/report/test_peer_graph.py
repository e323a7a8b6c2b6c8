"""The drawing of the peer graph."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from coordinator.report.peer_graph import PARTY, Member, degrees, draw


def mesh(number: int) -> list[Member]:
    """The operator's nodes, all linked."""
    names = [f"n{one}" for one in range(number)]
    return [Member(name, "one", "producer", tuple(other for other in names if other != name)) for name in names]


def parties(number: int) -> list[Member]:
    """Parties that are linked with the first node."""
    return [Member(f"p{one}", f"p{one}", PARTY, ("n0",)) for one in range(number)]


def test_a_mesh_is_a_regular_polygon() -> None:
    """The first node is at the top, and each link is there once although both ends name it."""
    drawing = draw(mesh(4))
    assert [(place.x, place.y) for place in drawing.places] == [(0, -1), (1, 0), (0, 1), (-1, 0)]
    assert drawing.links == tuple(combinations(("n0", "n1", "n2", "n3"), 2))
    assert degrees(drawing) == dict.fromkeys(("n0", "n1", "n2", "n3"), 3)


def test_a_newcomer_moves_no_operators_node() -> None:
    """Only the first party does: it makes room for its ring."""
    before, after = draw([*mesh(5), *parties(1)]), draw([*mesh(5), *parties(2)])
    assert before.places[:5] == after.places[:5]
    assert all(math.hypot(place.x, place.y) == pytest.approx(0.5, abs=1e-3) for place in after.places[:5])


@pytest.mark.parametrize("number", [1, 30, 31, 60, 1000])
def test_places_are_apart_and_inside(number: int) -> None:
    """No two nodes overlap, and all are inside the unit circle."""
    places = draw([*mesh(5), *parties(number)]).places
    assert len({(place.x, place.y) for place in places}) == number + 5
    assert max(math.hypot(place.x, place.y) for place in places) == pytest.approx(1, abs=1e-3)
    radii = {round(math.hypot(place.x, place.y), 2) for place in places if place.kind == PARTY}
    assert min(radii) > 0.5


def test_odd_graphs() -> None:
    """No node; one node; one with a party around it; links to unknown nodes and to itself."""
    assert draw([]).places == ()
    assert [(place.x, place.y) for place in draw(mesh(1)).places] == [(0, -1)]
    assert [(place.x, place.y) for place in draw([*mesh(1), *parties(1)]).places] == [(0, 0), (0, -1)]
    assert draw([Member("a", "one", "full", ("a", "gone"))]).links == ()
