"""Which nodes begin with a snapshot: by what is known of the chain, and of how many begin where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.engine.beginnings import choose, cost
from inventory.load import load
from inventory.network import Network, Node, SnapshotRule

MAINNET = 163_930


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """Twenty-one full nodes beside the genesis node and a producer, on two hosts."""
    nodes = "\n".join(f'[[nodes]]\nname = "full{n}"\nhost = "h{n % 2}"' for n in range(21))
    hosts = "\n".join(f'[[hosts]]\nname = "h{n}"\naddress = "10.0.0.{n + 1}"' for n in range(2))
    path = tmp_path / "net.toml"
    path.write_text(f'[network]\nname = "net"\n[producers]\ncount = 1\n{hosts}\n{nodes}\n')
    return load(path)


def _with(network: Network, rule: SnapshotRule) -> Network:
    return replace(network, nodes=tuple(replace(node, snapshot=rule) for node in network.nodes))


def _fresh(network: Network, count: int = 21) -> list[Node]:
    return [node for node in network.nodes if node.name.startswith("full")][:count]


def test_many_nodes_of_a_large_chain_begin_with_a_snapshot(network: Network) -> None:
    """And one of them, on another host than the genesis node, takes all blocks, so that two nodes have them."""
    found = choose(network, _fresh(network), MAINNET, 1000, ["genesis"])
    assert len(found.with_snapshot) == 20
    (kept,) = {f"full{n}" for n in range(21)} - set(found.with_snapshot)
    assert network.node(kept).host == "h1"
    assert "20 of 21 nodes begin with a snapshot (quicker: about" in found.reason
    assert f"{kept} takes all blocks, so that two nodes have them" in found.reason


def test_where_two_nodes_have_all_blocks_all_begin_with_a_snapshot(network: Network) -> None:
    """Nobody is needed to keep them."""
    found = choose(network, _fresh(network), MAINNET, 1000, ["genesis", "defproducera"])
    assert len(found.with_snapshot) == 21


def test_a_small_chain_is_synced(network: Network) -> None:
    """The reason has the figures."""
    found = choose(network, _fresh(network), 100, 200, ["genesis"])
    assert found.with_snapshot == ()
    assert "take the blocks of peers (a snapshot would save too little: about" in found.reason


def test_a_long_chain_of_few_accounts_is_not_synced(network: Network) -> None:
    """A week of blocks counts as well as accounts do."""
    week = 2 * 86_400 * 7
    assert len(choose(network, _fresh(network, 1), 100, week, ["genesis", "x"]).with_snapshot) == 1


@pytest.mark.parametrize(("rule", "count"), [(SnapshotRule.ALWAYS, 21), (SnapshotRule.NEVER, 0)])
def test_the_inventory_has_the_last_word(network: Network, rule: SnapshotRule, count: int) -> None:
    """Whatever is quicker."""
    network = _with(network, rule)
    for rows in (100, MAINNET):
        found = choose(network, _fresh(network), rows, 200, ["genesis"])
        assert len(found.with_snapshot) == count
        assert "nodeos.snapshot" in found.reason


def test_nodes_of_one_host_share_its_cores(network: Network) -> None:
    """Of two hosts with half the nodes each, each takes half as long."""
    one = replace(network, nodes=tuple(replace(node, host="h0") for node in network.nodes))
    both = [cost(each, _fresh(each), MAINNET, 0).sync for each in (one, network)]
    assert both[0] / both[1] == pytest.approx(21 / 11)
