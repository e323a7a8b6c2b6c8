"""The genesis node's folder is lost: the node takes the chain from the others, and begins no other one."""

from __future__ import annotations

import shutil

import pytest

from tests.live.coordinator.network import MakeNetwork, Network


def lost(network: Network) -> None:
    """The network is stopped, and the folder is removed."""
    assert network.coord("down").status == 0
    shutil.rmtree(network.data / "nodes" / "genesis")


@pytest.mark.advice(
    "coordinator/workflows/starting: the chain was begun, and the folder of its node … is lost on …: a new one would "
    "begin the chain again, with other blocks, and no other node here has it. Put back a copy of nodes/… of the "
    "agent's data folder, and boot again"
)
def test_the_genesis_nodes_folder_is_lost(make_network: MakeNetwork) -> None:
    """While only the genesis node has the chain, only a copy helps. Later the other nodes have it."""
    network = make_network("lost")
    network.write()
    network.boot("--until", "system-accounts")
    assert network.coord("down").status == 0
    folder, copy = network.data / "nodes" / "genesis", network.folder / "copy"
    folder.rename(copy)
    refused = network.coord("boot")
    assert refused.status == 1
    assert "no other node here has it. Put back a copy of nodes/genesis" in refused.err
    assert not folder.exists()
    copy.rename(folder)
    network.boot("--until", "synced")
    first = network.cleos("get", "block", "5", node="defproducera")["id"]
    lost(network)
    done = network.boot()
    assert "the folder of genesis is lost on local: it takes the chain from defproducera" in done.out
    assert "phase live" in done.out
    assert network.cleos("get", "block", "5", node="genesis")["id"] == first
    assert network.coord("verify").status == 0
    lost(network)
    assert "phase live" in network.boot().out
    assert network.cleos("get", "block", "5", node="genesis")["id"] == first
    assert network.coord("verify").status == 0
    assert network.coord("status", "--check").status == 0
