"""Who is linked with whom once parties are there: pure.

A newcomer is linked with few nodes: one of the operator's, and others that have the fewest links so far. So the graph's
degree stays bounded however many come, nobody's loss cuts a party off, and no party is surrounded by other parties
alone. As long as the network is small all are linked with all, as the operator's nodes are: producers that see each
other bring a chain back after a total outage. Who was chosen is written down: later comings and goings move no link.
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
"""Links that a newcomer gets in a network that is no longer small."""


def choose(network: Network, parties: Sequence[Party], name: str) -> tuple[str, ...]:
    """The neighbours of a party: names of the operator's nodes (by the inventory) and of parties. Deterministic.

    Only parties whose endpoint was found are taken.
    """
    degree = Counter({node.name: len(node.peers) for node in network.nodes})
    for party in parties:
        degree.update(party.neighbours)
        degree[party.name] += len(party.neighbours)

    def order(other: str) -> tuple[int, str]:
        return degree[other], hashlib.sha256(f"{name} {other}".encode()).hexdigest()

    own = sorted((node.name for node in network.nodes), key=order)
    others = [party.name for party in parties if party.found and party.name != name and not party.state.gone]
    if len(own) + len(others) < MESH_LIMIT:
        return (*own, *others)
    chosen = own[:1]
    chosen += sorted((*own[1:], *others), key=order)[: DEGREE - 1]
    return tuple(chosen)


class PeerGraph:
    """Who dials whom. Made once for a state of the parties, so that asking for one does not look at all others."""

    def __init__(self, network: Network, parties: Iterable[Party]) -> None:
        self._network = network
        self._own = {node.name: network.p2p(node) for node in network.nodes}
        self._endpoints = _endpoints(parties)
        self._chosen_by: defaultdict[str, list[str]] = defaultdict(list)
        for party in parties:
            for name in party.neighbours:
                self._chosen_by[name].append(party.name)

    def peers_of_party(self, party: Party, without: str = "") -> tuple[str, ...]:
        """The endpoints that a party's node dials; without: a node of the operator's to be left out."""
        names = dict.fromkeys((*party.neighbours, *self._chosen_by.get(party.name, ())))
        found = [self._own.get(name) or self._endpoints.get(name) for name in names if name != without]
        return tuple(sorted(endpoint for endpoint in found if endpoint and endpoint != party.endpoint))

    def peers_of_node(self, node: Node) -> tuple[str, ...]:
        """The endpoints that a node of the operator's dials: the inventory's, then those of parties linked with it."""
        planned = [self._network.p2p(self._network.node(peer)) for peer in node.peers]
        linked = [self._endpoints[name] for name in self._chosen_by.get(node.name, ()) if name in self._endpoints]
        return tuple(dict.fromkeys((*planned, *sorted(linked))))


def producers(network: Network, parties: Iterable[Party]) -> tuple[str, ...]:
    """The endpoints of all producers' nodes, the operator's first; as many as an agent keeps."""
    own = [network.p2p(node) for node in network.nodes if node.role is Role.PRODUCER]
    return tuple(dict.fromkeys((*own, *sorted(_endpoints(parties).values()))))[:MAX_PRODUCERS]


def _endpoints(parties: Iterable[Party]) -> dict[str, str]:
    """Of those that others may be told of. A revoked party's node stays on the network, one that left does not."""
    return {
        party.name: party.endpoint
        for party in parties
        if party.found and party.endpoint and party.state is not Standing.LEFT
    }


def with_parties(network: Network, parties: Sequence[Party], awaited: Iterable[str]) -> Network:
    """The network with parties' nodes in it: those that were found as peers of the operator's nodes, and those that the
    boot waits for as holders of their accounts, too.
    """
    waited = set(awaited)
    shown = [party for party in parties if party.endpoint and (party.found or party.account in waited)]
    known = [party for party in shown if not party.state.gone or party.found]
    latest = {party.account: party for party in sorted(known, key=lambda party: not party.state.gone)}
    members = [party for party in known if latest[party.account] is party]  # one that is gone may have come again
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
