"""What a boot says of failing hosts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from coordinator.agents.link import AgentLink
from coordinator.engine.access import NodeAccess
from coordinator.report.watching import AWAY, ailments, news
from inventory.network import Node, Role
from protos import coordination_pb2 as pb


def test_each_trouble_is_told_once_and_an_agents_return_too() -> None:
    """A new reason is reported, a repeated one is not. A node that runs again is not reported, because its step shows
    it.
    """
    node, agent = ("h1", "genesis"), ("h2", "")
    full, dead = {node: "node genesis: the disk is full"}, {node: "node genesis: nodeos ended"}
    assert news({}, full) == [("h1", "h1: node genesis: the disk is full")]
    assert news(full, full) == []
    assert news(full, dead | {agent: AWAY}) == [
        ("h1", "h1: node genesis: nodeos ended"),
        ("h2", f"h2: {AWAY}"),
    ]
    assert news(dead | {agent: AWAY}, {}) == [("h2", "h2: its agent is back")]


def test_lost_keys_hide_no_failed_node_and_a_partys_are_its_own() -> None:
    """A node that was started without its keys has failed: both are told. What a party says of its files is not."""
    gone = "keys/signing.json is gone"
    nodes = [
        Node(name, host, Role.PRODUCER, name, 1, 2, party=host == "alice")
        for name, host in (("a", "h1"), ("b", "alice"))
    ]
    failed = pb.NodeStatus(name="a", state="failed", detail="this host has no signing key of a")
    status = pb.Status(nodes=[failed], lost_keys=[gone])
    link = SimpleNamespace(connected=True, contested=False, status=status)
    access = SimpleNamespace(
        network=SimpleNamespace(nodes=nodes),
        hub=SimpleNamespace(links={"h1": link, "alice": link}),
        status=lambda node: failed if node.name == "a" else pb.NodeStatus(name="b", state="running"),
    )
    found = ailments(cast(NodeAccess, access))
    assert set(found) == {("h1", "keys"), ("h1", "a")}
    assert found["h1", "keys"].startswith(gone)
    assert found["h1", "a"] == failed.detail


def test_what_an_agent_reports_is_bounded() -> None:
    """Plain lines, and few: it may be hostile, and its report is shown on a terminal."""
    link = AgentLink("h1", lambda: 1)
    node = pb.NodeStatus(name="a", detail="x\n" * 9000, doubles=[f"double {number}" for number in range(9)])
    status = pb.Status(nodes=[node], lost_keys=["keys/\x1b[31msigning.json is gone" + "x" * 900] * 9)
    assert link.receive(pb.FromAgent(status=status)) == ""
    assert link.status
    kept = link.status.nodes[0]
    assert list(kept.doubles) == [f"double {number}" for number in range(4, 9)]
    assert (len(kept.detail), "\n" in kept.detail) == (4000, False)
    assert [(len(line), "\x1b" in line) for line in link.status.lost_keys] == [(500, False)] * 2
