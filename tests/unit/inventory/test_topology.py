"""Peer graphs."""

from __future__ import annotations

import pytest

from inventory.network import Topology
from inventory.topology import Graph, build, components, dot
from tests.unit.inventory.material import Load

NAMES = [f"n{number}" for number in range(12)]


def cut_vertices(graph: Graph) -> tuple[str, ...]:
    """Nodes whose loss disconnects the others."""
    return tuple(name for name in graph if len(components(graph, frozenset({name}))) > 1)


@pytest.mark.parametrize("kind", [Topology.MESH, Topology.RING, Topology.RANDOM])
@pytest.mark.parametrize("size", [3, 4, 7, 12])
def test_survives_any_loss(kind: Topology, size: int) -> None:
    """Without any one node the others are still connected."""
    for degree in range(2, 7):
        graph = build(kind, NAMES[:size], degree, 1)
        assert len(components(graph)) == 1
        assert cut_vertices(graph) == ()


@pytest.mark.parametrize("size", range(3, 24))
def test_random_is_regular(size: int) -> None:
    """Every node of a random graph has the wanted degree, except for one if parity forbids it."""
    names = [f"n{number}" for number in range(size)]
    for degree in range(2, 8):
        graph = build(Topology.RANDOM, names, degree, seed=size)
        wanted = min(degree, size - 1)
        odd = wanted % 2 == size % 2 == 1
        assert sorted(len(peers) for peers in graph.values()) == [wanted - 1] * odd + [wanted] * (size - odd)


@pytest.mark.parametrize("kind", list(Topology))
def test_both_ends(kind: Topology) -> None:
    """Every edge is listed at both ends, and nobody lists itself."""
    graph = build(kind, NAMES, 4, 3, [("n0", "n1"), ("n1", "n2"), ("n2", "n2")])
    for name, peers in graph.items():
        assert name not in peers
        assert all(name in graph[peer] for peer in peers)


def test_star() -> None:
    """In a star all nodes dial the first one, and its loss disconnects them."""
    graph = build(Topology.STAR, NAMES, 4, 1)
    assert set(graph["n0"]) == set(NAMES[1:])
    assert cut_vertices(graph) == ("n0",)


def test_seed() -> None:
    """The same seed draws the same random graph, another seed another."""
    assert build(Topology.RANDOM, NAMES, 4, 1) == build(Topology.RANDOM, NAMES, 4, 1)
    assert build(Topology.RANDOM, NAMES, 4, 1) != build(Topology.RANDOM, NAMES, 4, 2)


def test_single() -> None:
    """A node alone has no peers, whatever the kind."""
    assert {kind: build(kind, ["n0"], 4, 1)["n0"] for kind in Topology} == dict.fromkeys(Topology, ())


def test_dot(network: Load) -> None:
    """The drawing has each host once, and each link once."""
    text = dot(network('[producers]\ncount = 2\n[topology]\nkind = "ring"'))
    assert text.startswith('graph "x" {')
    assert text.count("subgraph") == 1
    assert [line.strip() for line in text.splitlines() if "--" in line] == [
        '"defproducera" -- "defproducerb";',
        '"defproducera" -- "genesis";',
        '"defproducerb" -- "genesis";',
    ]
