"""Which node dials which: graphs by the inventory's rule, the same for the same seed.

Both ends of an edge list each other. nodeos retries a refused dial only every 30 s or so; with both listed, whichever
node starts last dials immediately, and nodeos closes the second of two connections on its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from inventory.network import Network, Role, Topology

Graph = Mapping[str, tuple[str, ...]]
"""Each node's peers, sorted."""

MESH_LIMIT = 8
"""Up to this many nodes a mesh is the default; a mesh of n nodes has n * (n - 1) / 2 links."""


def build(kind: Topology, names: Sequence[str], degree: int, seed: int, edges: Iterable[tuple[str, str]] = ()) -> Graph:
    """The graph over the names. degree: peers per node in a random graph, 2 or more; edges: those of a custom graph.

    Mesh, ring and random graphs stay connected when any one node is lost. In a star the first name is the centre.
    """
    unique = list(names)
    if kind is Topology.CUSTOM:
        return _graph(unique, edges)
    if kind is Topology.STAR:
        return _graph(unique, ((unique[0], other) for other in unique[1:]))
    if kind is Topology.RING:
        return _graph(unique, _ring(unique))
    if kind is Topology.MESH or degree >= len(unique) - 1:
        return _graph(unique, combinations(unique, 2))
    return _graph(unique, _random(unique, degree, random.Random(seed)))  # noqa: S311 (a drawing, not a secret)


def _ring(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, names[(index + 1) % len(names)]) for index, name in enumerate(names)] if len(names) > 1 else []


def _random(names: Sequence[str], degree: int, dice: random.Random) -> list[tuple[str, str]]:
    """A ring in random order, plus chords: at first to the next neighbours but one, then exchanged at random.

    Exchanging the ends of two chords preserves every degree, and the ring keeps the graph connected. An odd number of
    nodes cannot all have an odd degree: one of them then has one peer less.
    """
    order = list(names)
    dice.shuffle(order)
    size = len(order)
    ring = {frozenset(pair) for pair in _ring(order)}
    links = {frozenset((order[at], order[(at + by) % size])) for by in range(2, degree // 2 + 1) for at in range(size)}
    if degree % 2:  # opposite pairs; with an odd number of nodes the last one has no opposite
        links |= {frozenset((order[at], order[at + size // 2])) for at in range(size // 2)}
    chords = sorted(tuple(sorted(link)) for link in links - ring)
    taken = ring | links
    for _ in range(10 * len(chords)):
        first, second = dice.randrange(len(chords)), dice.randrange(len(chords))
        (a, b), (c, d) = chords[first], dice.sample(chords[second], 2)
        crossed = frozenset((a, d)), frozenset((c, b))
        if len({a, b, c, d}) == 4 and not taken.intersection(crossed):
            taken -= {frozenset((a, b)), frozenset((c, d))}
            taken.update(crossed)
            chords[first], chords[second] = (a, d), (c, b)
    return _ring(order) + [(pair[0], pair[1]) for pair in chords]


def _graph(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> Graph:
    peers: dict[str, set[str]] = {name: set() for name in names}
    for first, second in edges:
        if first != second:
            peers[first].add(second)
            peers[second].add(first)
    return {name: tuple(sorted(found)) for name, found in peers.items()}


def components(graph: Graph, without: frozenset[str] = frozenset()) -> list[set[str]]:
    """The connected components of the graph without some of its nodes."""
    left = set(graph) - without
    parts = []
    while left:
        part, edge = set(), {min(left)}
        while edge:
            part |= edge
            edge = {peer for name in edge for peer in graph[name]} & left - part
        parts.append(part)
        left -= part
    return parts


def dot(network: Network) -> str:
    """The peer graph as DOT text, one cluster per host."""
    lines = [f'graph "{network.name}" {{', "  node [shape=box];"]
    for index, host in enumerate(network.hosts):
        lines.append(f'  subgraph cluster_{index} {{ label="{host.name}\\n{host.address}";')
        for node in network.nodes:
            if node.host == host.name:
                shape = "doubleoctagon" if node.role is Role.GENESIS else "box" if node.role.signs else "ellipse"
                lines.append(f'    "{node.name}" [shape={shape}];')
        lines.append("  }")
    edges = sorted({(min(node.name, peer), max(node.name, peer)) for node in network.nodes for peer in node.peers})
    return "\n".join([*lines, *(f'  "{first}" -- "{second}";' for first, second in edges), "}", ""])
