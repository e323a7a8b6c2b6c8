"""The peer graph as a drawing: a place for each node and the links between them. Pure.

Nodes are placed on rings, not by forces: they keep their places while others come and go. The
operator's nodes are on the inner ring, host by host; parties are around them in the order in which they joined.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from coordinator.parties.store import Party, Standing
from inventory.network import Network

PARTY = "party"
"""The kind of a party's node; other kinds are the inventory's roles."""
INNER = 0.5
"""The radius of the operator's ring where parties are around it; without them it is 1."""
FIRST = 30
"""Places on the innermost ring of parties; the next ones have more, in proportion to their radius."""


@dataclass(frozen=True)
class Member:
    """A node of the graph."""

    name: str
    host: str
    kind: str
    """genesis, producer, full or party."""
    peers: tuple[str, ...]
    """Names of other members; both ends of a link need not name each other."""


@dataclass(frozen=True)
class Place:
    """Where a member is drawn: x to the right, y downwards, both between -1 and 1."""

    name: str
    kind: str
    x: float
    y: float


@dataclass(frozen=True)
class Drawing:
    """The whole graph."""

    places: tuple[Place, ...]
    links: tuple[tuple[str, str], ...]
    """Each pair of linked members once, sorted."""


def members(network: Network, parties: Iterable[Party]) -> tuple[Member, ...]:
    """The operator's nodes, host by host with the genesis node's first, then parties' nodes that others may dial."""
    first = network.genesis_node.host
    order = {host.name: (host.name != first, number) for number, host in enumerate(network.hosts)}
    own = sorted(network.nodes, key=lambda node: order[node.host])
    joined = [party for party in parties if party.endpoint and party.state is not Standing.LEFT]
    return (
        *(Member(node.name, node.host, node.role.value, node.peers) for node in own),
        *(Member(party.name, party.name, PARTY, party.neighbours) for party in joined),
    )


def draw(nodes: Sequence[Member]) -> Drawing:
    """Places all members, the first of each ring at the top and the others clockwise."""
    own = [node for node in nodes if node.kind != PARTY]
    parties = [node for node in nodes if node.kind == PARTY]
    inner = 0.0 if len(own) == 1 and parties else INNER if parties else 1.0
    places = [*_ring(own, inner), *_rings(parties)]
    known = {node.name for node in nodes}
    pairs = {(min(node.name, peer), max(node.name, peer)) for node in nodes for peer in node.peers if peer in known}
    return Drawing(tuple(places), tuple(sorted(pair for pair in pairs if pair[0] != pair[1])))


def degrees(drawing: Drawing) -> Mapping[str, int]:
    """How many links each member has."""
    found = {place.name: 0 for place in drawing.places}
    for pair in drawing.links:
        for name in pair:
            found[name] += 1
    return found


def _ring(nodes: Sequence[Member], radius: float) -> list[Place]:
    angles = (2 * math.pi * number / len(nodes) for number in range(len(nodes)))
    return [
        Place(node.name, node.kind, round(radius * math.sin(angle), 4), round(-radius * math.cos(angle), 4))
        for node, angle in zip(nodes, angles, strict=True)
    ]


def _rings(nodes: Sequence[Member]) -> list[Place]:
    """As many rings as the nodes need, evenly spaced up to radius 1, filled in proportion to their radius."""
    rings = 1
    while nodes and sum(FIRST * (1 + number) for number in range(rings)) < len(nodes):
        rings += 1
    radii = [1 - (1 - INNER) * (rings - 1 - number) / (rings + 1) for number in range(rings)]
    ends = [0]
    for number in range(rings):
        ends.append(round(len(nodes) * sum(radii[: number + 1]) / sum(radii)))
    return [
        place
        for (begin, end), radius in zip(pairwise(ends), radii, strict=True)
        for place in _ring(nodes[begin:end], radius)
    ]
