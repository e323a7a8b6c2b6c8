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


def test_a_peers_head_as_spring_calls_it() -> None:
    """An entry of net/connections of Spring 1.2.2, as it answered: who has the blocks of a node that lost its own."""
    shaken = {
        "network_version": 1216,
        "node_id": "1485d2f23cf93df85c48a1cb6dbb54b9ff0386146489d533775f2a8987bc2a72",
        "key": "EOS1111111111111111111111111111111114T1Anm",
        "time": "1795915494428021038",
        "token": "0" * 64,
        "p2p_address": "127.0.0.1:27100 - 1485d2f",
        "fork_db_root_num": 1315,
        "fork_db_root_id": "00000523ff7e6260f776c8822157c8d2ace34df49e4fb20917e8afa6e71bb076",
        "fork_db_head_num": 1367,
        "fork_db_head_id": "0000055771278ab0d02fb7d6c436b736e48fdf0251cdb95cc2e58c2a4547db99",
        "agent": "genesis",
        "generation": 34,
    }
    found = PeerLink.from_json({"peer": "127.0.0.1:27100", "connecting": False, "last_handshake": shaken})
    assert (found.handshaken, found.head_num) == (True, 1367)
