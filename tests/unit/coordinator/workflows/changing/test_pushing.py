"""A host with an account's key, and no node to push through, gets a full node for as long as its agent needs one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.changing.pushing import NAME, takes, with_pusher
from inventory.load import glance
from inventory.network import Role
from protos import coordination_pb2 as pb
from tests.unit.coordinator.workflows.changing.test_moving import FILE


def test_the_node_is_a_full_one_on_ports_of_its_own(tmp_path: Path) -> None:
    """It dials producers, signs nothing, and takes no port that another node of its host has."""
    (tmp_path / "net.toml").write_text(FILE)
    network = glance(tmp_path / "net.toml")
    empty, shared = with_pusher(network, "h1").node(NAME), with_pusher(network, "h2").node(NAME)
    assert (empty.role, empty.account, empty.peers) == (Role.FULL, None, ("defproducera", "defproducerb"))
    for node in (empty, shared):
        others = [one for one in network.nodes if one.host == node.host]
        assert others
        assert node.p2p_port not in {one.p2p_port for one in others}
        assert node.http_port not in {one.http_port for one in others}


def test_which_hosts_need_none() -> None:
    """One whose node runs or starts, and takes transactions: not one that audits, is stopped, or has no API."""

    def host(**status: Any) -> OpenNetwork:
        spec = pb.NodeSpec(name="n", role=status.pop("role", "producer"))
        link = SimpleNamespace(status=pb.Status(nodes=[pb.NodeStatus(name="n", spec=spec, **status)]))
        return cast(OpenNetwork, SimpleNamespace(hub=SimpleNamespace(links={"h": link})))

    assert takes(host(state="running", mode=pb.MODE_NORMAL), "h")
    assert takes(host(state="starting", mode=pb.MODE_NORMAL), "h")
    assert not takes(host(state="running", mode=pb.MODE_AUDIT), "h")
    assert not takes(host(state="stopped", mode=pb.MODE_NORMAL), "h")
    assert not takes(host(state="running", mode=pb.MODE_NORMAL, role="seed"), "h")
    assert not takes(host(state="running", mode=pb.MODE_NORMAL), "elsewhere")
