"""Chooses the peer links between parties' and the operator's nodes. Pure.

A newcomer is linked with a few nodes: one of the operator's, and those that have the fewest links. So the degree stays
bounded however many parties join, losing one node cuts no party off, and no party has only other parties as peers.
A small network is a full mesh, as the operator's nodes are: producers that see each other bring a chain back after a
total outage. The choice is recorded, so parties that join or leave later move no existing link.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from antelope.elections import MAX_PRODUCERS
from coordinator.parties.store import Party, Standing
from inventory.network import Host, Network, Node, Role
from inventory.topology import MESH_LIMIT
from support.endpoint import Endpoint

DEGREE = 3
"""Links that a newcomer gets in a network too large for a full mesh."""


class Linking:
    """Chooses neighbours for one newcomer after the other. Each choice counts for the next."""

    def __init__(self, network: Network, parties: Iterable[Party]) -> None:
        """Only parties whose node answered at their endpoint are chosen."""
        self._own = [node.name for node in network.nodes]
        self._others: list[str] = []
        self._degree = Counter({node.name: len(node.peers) for node in network.nodes})
        for party in parties:
            self._count(party.name, party.neighbours)
            if party.found and not party.state.gone:
                self._others.append(party.name)

    def choose(self, name: str) -> tuple[str, ...]:
        """The neighbours of a party: names of the operator's nodes (as in the inventory) and of parties. Deterministic.

        Chosen are those with the fewest links; among equals a hash of both names decides.
        """
        others = [other for other in self._others if other != name]
        if len(self._own) + len(others) < MESH_LIMIT:
            chosen = (*self._least(name, self._own, len(self._own)), *others)
        else:
            first = self._least(name, self._own, 1)
            rest = [other for other in (*self._own, *others) if other not in first]
            chosen = (*first, *self._least(name, rest, DEGREE - 1))
        self._count(name, chosen)
        return chosen

    def _least(self, name: str, among: Sequence[str], count: int) -> tuple[str, ...]:
        """This many nodes with the fewest links. Only candidates are hashed, because hashing costs the most."""
        degrees = sorted(map(self._degree.__getitem__, among))
        limit = degrees[min(count, len(degrees)) - 1]
        candidates = [other for other in among if self._degree[other] <= limit]

        def order(other: str) -> tuple[int, str]:
            return self._degree[other], hashlib.sha256(f"{name} {other}".encode()).hexdigest()

        return tuple(sorted(candidates, key=order)[:count])

    def _count(self, name: str, neighbours: Sequence[str]) -> None:
        self._degree.update(neighbours)
        self._degree[name] += len(neighbours)


class PeerGraph:
    """Which node dials which. Updated for each changed party, so that no query and no change needs a full scan."""

    def __init__(self, network: Network, parties: Iterable[Party] = ()) -> None:
        self._network = network
        self._own = {node.name: network.p2p(node) for node in network.nodes}
        self._endpoints: dict[str, str] = {}
        self._neighbours: dict[str, tuple[str, ...]] = {}
        self._chosen_by: defaultdict[str, set[str]] = defaultdict(set)
        for party in parties:
            self.put(party)

    def put(self, party: Party) -> None:
        """Replaces what is known of a party with its present state."""
        if _public(party):
            self._endpoints[party.name] = str(party.endpoint)
        else:
            self._endpoints.pop(party.name, None)
        for name in self._neighbours.get(party.name, ()):
            self._chosen_by[name].discard(party.name)
        for name in party.neighbours:
            self._chosen_by[name].add(party.name)
        self._neighbours[party.name] = party.neighbours

    def peers_of_party(self, party: Party, without: str = "") -> tuple[str, ...]:
        """The endpoints that a party's node dials. without: an operator's node to leave out."""
        names = dict.fromkeys((*party.neighbours, *self._chosen_by.get(party.name, ())))
        found = [self._own.get(name) or self._endpoints.get(name) for name in names if name != without]
        return tuple(sorted(endpoint for endpoint in found if endpoint and endpoint != party.endpoint))

    def peers_of_node(self, node: Node) -> tuple[str, ...]:
        """The endpoints that an operator's node dials: the inventory's, then those of parties linked with it."""
        planned = [self._network.p2p(self._network.node(peer)) for peer in node.peers]
        linked = [self._endpoints[name] for name in self._chosen_by.get(node.name, ()) if name in self._endpoints]
        return tuple(dict.fromkeys((*planned, *sorted(linked))))


def producers(network: Network, parties: Iterable[Party]) -> tuple[str, ...]:
    """The endpoints of producers' nodes, the operator's first; at most as many as an agent keeps."""
    own = [network.p2p(node) for node in network.nodes if node.role is Role.PRODUCER]
    return tuple(dict.fromkeys((*own, *sorted(_endpoints(parties).values()))))[:MAX_PRODUCERS]


def _endpoints(parties: Iterable[Party]) -> dict[str, str]:
    """Endpoints that others may be told, by party: also those of revoked parties, but not of parties that left."""
    return {party.name: str(party.endpoint) for party in parties if _public(party)}


def _public(party: Party) -> bool:
    return party.found and party.state is not Standing.LEFT


def with_parties(network: Network, parties: Sequence[Party], awaited: Iterable[str]) -> Network:
    """The network including the nodes of parties that answered at their endpoint or that the boot waits for."""
    waited = set(awaited)
    shown = [party for party in parties if party.endpoint and (party.found or party.account in waited)]
    known = [party for party in shown if not party.state.gone or party.found]
    latest = {party.account: party for party in sorted(known, key=lambda party: not party.state.gone)}
    members = [party for party in known if latest[party.account] is party]  # a party that left may have joined again
    linked = {
        node.name: tuple(party.account for party in members if node.name in party.neighbours) for node in network.nodes
    }
    return replace(
        network,
        hosts=(*network.hosts, *(_host(party) for party in members)),
        nodes=(
            *(replace(node, peers=(*node.peers, *linked[node.name])) for node in network.nodes),
            *(_node(party, network, members) for party in members),
        ),
    )


def _host(party: Party) -> Host:
    return Host(party.name, Endpoint.parse(str(party.endpoint)).host, party=True)


def _node(party: Party, network: Network, members: Sequence[Party]) -> Node:
    names = {node.name: node.name for node in network.nodes} | {member.name: member.account for member in members}
    peers = tuple(names[name] for name in party.neighbours if name in names)
    port = Endpoint.parse(str(party.endpoint)).port
    return Node(party.account, party.name, Role.PRODUCER, party.account, port, 0, peers, party=True)
