"""Which nodes are linked: a bounded number, deterministic, and never only strangers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from coordinator.engine.node_specs import node_spec
from coordinator.parties.neighbours import DEGREE, Linking, PeerGraph, with_parties
from coordinator.parties.store import Party, Standing
from inventory.load import load
from inventory.network import Network
from inventory.topology import MESH_LIMIT


def _network(folder: Path) -> Network:
    path = folder / "x.toml"
    path.write_text('[network]\nname = "x"\n[producers]\ncount = 3\n')
    return load(path)


def _party(number: int, neighbours: tuple[str, ...] = (), found: bool = True) -> Party:
    endpoint = f"8.8.{number // 250}.{number % 250 + 1}:9876"
    return Party(
        f"party{number}", f"partyaccount{number}", "k", "s", endpoint, "", "", Standing.SYNCED, "", float(number),
        neighbours, endpoint if found else "",
    )  # fmt: skip


def test_many_come_and_the_degree_stays_bounded(tmp_path: Path) -> None:
    """60 parties: each has a link with an operator's node, and no node has far more links than others."""
    network = _network(tmp_path)
    parties: list[Party] = []
    for number in range(60):
        party = _party(number)
        parties.append(replace(party, neighbours=Linking(network, parties).choose(party.name)))
    own = {node.name for node in network.nodes}
    degree = Counter(name for party in parties for name in party.neighbours)
    late = parties[MESH_LIMIT - len(own) :]
    assert all(len(party.neighbours) == DEGREE and own & set(party.neighbours) for party in late)
    assert max(degree[party.name] for party in parties) <= 2 * DEGREE
    assert max(degree[name] for name in own) <= 60 // len(own) + DEGREE
    again: list[Party] = []
    for number in range(60):
        party = _party(number)
        again.append(replace(party, neighbours=Linking(network, again).choose(party.name)))
    assert again == parties


def test_in_a_small_network_all_are_linked_with_all(tmp_path: Path) -> None:
    """So each sees enough of the schedule to restart the chain; a party that was not found does not count."""
    network = _network(tmp_path)
    own = {node.name for node in network.nodes}
    parties = [_party(number) for number in range(MESH_LIMIT - len(own) - 1)]
    everybody = own | {party.name for party in parties}
    hidden = _party(30, found=False)
    assert set(Linking(network, [*parties, hidden]).choose("alice")) == everybody
    assert len(Linking(network, [*parties, _party(31)]).choose("alice")) == DEGREE


def test_nobody_is_told_of_an_endpoint_that_was_not_found(tmp_path: Path) -> None:
    """Neither the operator's nodes nor other parties; a party that left is no longer dialled."""
    network = _network(tmp_path)
    alice, hidden = _party(1, ("genesis",)), _party(2, ("genesis", "party1"), found=False)
    node = network.node("genesis")
    planned = PeerGraph(network, ()).peers_of_node(node)
    assert PeerGraph(network, (alice, hidden)).peers_of_node(node) == (*planned, str(alice.endpoint))
    assert str(hidden.endpoint) not in PeerGraph(network, (alice, hidden)).peers_of_party(alice)
    assert set(PeerGraph(network, (alice, hidden)).peers_of_party(hidden)) == {network.p2p(node), alice.endpoint}
    assert PeerGraph(network, (alice, hidden)).peers_of_party(hidden, without="genesis") == (alice.endpoint,)
    assert PeerGraph(network, (replace(alice, state=Standing.LEFT),)).peers_of_node(node) == planned
    revoked = replace(alice, state=Standing.REVOKED)
    assert PeerGraph(network, (revoked,)).peers_of_node(node) == (*planned, str(alice.endpoint))


def test_links_are_known_at_both_ends(tmp_path: Path) -> None:
    """A node that was chosen as a neighbour also dials the newcomer, once that was found."""
    network = _network(tmp_path)
    alice, bob = _party(1, ("genesis",)), _party(2, ("defproducera", "party1"))
    assert PeerGraph(network, (alice, bob)).peers_of_party(alice) == tuple(
        sorted((network.p2p(network.node("genesis")), str(bob.endpoint)))
    )


def test_who_was_invited_anew_takes_the_place_of_who_is_gone(tmp_path: Path) -> None:
    """Whichever joined first, the account's node is that of the party that may act."""
    gone = replace(_party(1, ("n00",)), state=Standing.REVOKED)
    anew = replace(_party(1), name="anew")
    for parties in ((gone, anew), (anew, gone)):
        whole = with_parties(_network(tmp_path), parties, [anew.account])
        assert [node.host for node in whole.nodes if node.account == anew.account] == ["anew"]
        assert whole.holder(anew.account) == "anew"


def test_a_boot_knows_them_again(tmp_path: Path) -> None:
    """The operator's nodes are started with the parties' endpoints; awaited parties hold their accounts."""
    network = _network(tmp_path)
    alice, late = _party(1, ("genesis",), found=False), _party(2, ("genesis",))
    whole = with_parties(network, (alice, late, _party(3, ("genesis",), found=False)), [alice.account])
    assert {node.name for node in whole.nodes if node.party} == {alice.account, late.account}
    spec = node_spec(whole, whole.node("genesis"))
    assert {str(alice.endpoint), str(late.endpoint)} <= set(spec.peers)
    assert spec.p2p_bind == node_spec(network, network.node("genesis")).p2p_bind
    assert whole.holder(alice.account) == "party1"
    assert not whole.host("party1").local
