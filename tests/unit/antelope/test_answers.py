"""Reads the answers of nodes."""

from __future__ import annotations

from antelope.answers import BRINGER, PeerLink, connected


def link(node: str, *, generation: int = 1, address: str = "10.0.0.1:9876") -> PeerLink:
    """One of net/connections, as nodeos 5 writes it; generation 0: no handshake came yet."""
    shaken = {"generation": generation, "node_id": node, "p2p_address": f"{address} - {node[:7]}"}
    return PeerLink.from_json({"peer": "", "last_handshake": shaken if generation else {"node_id": "0" * 64}})


def test_a_node_that_is_linked_twice_counts_once() -> None:
    """Two links between nodes that dial each other count once. A dial without an answer is not a connection."""
    assert connected([link("a" * 64), link("b" * 64), link("a" * 64), link("c" * 64, generation=0)]) == 2


def test_a_client_that_only_sends_transactions_is_not_a_node() -> None:
    """An agent's own connection, while it loads accounts."""
    assert connected([link("a" * 64), link("b" * 64, address=BRINGER)]) == 1
