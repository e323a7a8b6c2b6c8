"""Who dials whom: graphs of nodes, drawn by the inventory's rule, the same for the same seed.

Both ends of an edge list each other. nodeos retries a refused dial only every 30 s or so; with both listed, whichever
node comes last dials at once, and it closes the second of two connections by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from inventory.network import Network, Role, Topology

Graph = Mapping[str, tuple[str, ...]]
"""Each node's peers, sorted."""

MESH_LIMIT = 8
"""Up to so many nodes a mesh is the default; a mesh of n nodes has n * (n - 1) / 2 links."""


def build(kind: Topology, names: Sequence[str], degree: int, seed: int, edges: Iterable[tuple[str, str]] = ()) -> Graph:
    """The graph over the names. degree: peers per node of a random graph, at least; edges: those of a custom one.

    A random graph is a ring with further links, so that with a degree of 2 or more it stays connected when any one
    node is lost. In a star the first name is the centre.
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
    """Shuffled rings laid over each other, two links a node each; an odd degree gets a matching on top.

    A ring that repeats a link gives its nodes fewer, so the degree is a bound from above; the first ring never does.
    """
    edges: set[frozenset[str]] = set()
    shuffled = list(names)
    for _ in range(max(1, degree // 2)):
        dice.shuffle(shuffled)
        edges |= {frozenset(pair) for pair in _ring(shuffled)}
    if degree % 2 and degree > 1:
        dice.shuffle(shuffled)
        edges |= {frozenset(pair) for pair in zip(shuffled[::2], shuffled[1::2], strict=False)}
    return [(first, second) for first, second in (sorted(edge) for edge in edges)]


def _graph(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> Graph:
    peers: dict[str, set[str]] = {name: set() for name in names}
    for first, second in edges:
        if first != second:
            peers[first].add(second)
            peers[second].add(first)
    return {name: tuple(sorted(found)) for name, found in peers.items()}


def components(graph: Graph, without: frozenset[str] = frozenset()) -> list[set[str]]:
    """The graph's connected parts, without some nodes."""
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


def fragile(graph: Graph) -> tuple[str, ...]:
    """Nodes whose loss cuts the others in two; a small graph's brute force."""
    return tuple(name for name in graph if len(components(graph, frozenset({name}))) > 1)


def dot(network: Network) -> str:
    """The peer graph as DOT text, one cluster per host."""
    lines = [f'graph "{network.name}" {{', "  node [shape=box];"]
    for index, host in enumerate(network.hosts):
        lines.append(f'  subgraph cluster_{index} {{ label="{host.name}\\n{host.address}";')
        for node in network.nodes:
            if node.host == host.name:
                shape = {Role.GENESIS: "doubleoctagon", Role.FULL: "ellipse"}.get(node.role, "box")
                lines.append(f'    "{node.name}" [shape={shape}];')
        lines.append("  }")
    edges = sorted({(min(node.name, peer), max(node.name, peer)) for node in network.nodes for peer in node.peers})
    return "\n".join([*lines, *(f'  "{first}" -- "{second}";' for first, second in edges), "}", ""])
