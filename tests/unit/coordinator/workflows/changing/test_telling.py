"""Nodes are told their peers' addresses without a restart, and whoever cannot be told is named."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.agents.link import LinkError
from coordinator.engine.node_specs import node_spec
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing import telling as module
from coordinator.workflows.changing.changes import Fact
from coordinator.workflows.changing.facts import Facts
from coordinator.workflows.changing.telling import left_to_do, tell_peers
from inventory.load import glance
from inventory.network import Network
from protos import coordination_pb2 as pb
from tests.unit.coordinator.workflows.changing.test_moving import FILE

MESH = f'{FILE.replace("count = 2", "count = 3")}[topology]\nkind = "mesh"\n'
PARTY = "203.0.113.5:9876"


class World:
    """A network whose second host has got another address. Each node runs, and dials a party besides."""

    def __init__(self, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source.write_text(MESH)
        before = glance(source, lambda _: {})
        source.write_text(MESH.replace("10.0.0.2", "10.0.0.9"))
        self.network: Network = glance(source, lambda _: {})
        self.specs = {node.name: node_spec(before, node) for node in before.nodes}
        for node in self.network.nodes:
            if node.host == "h2":  # the new machine's nodes were started with what the inventory says
                self.specs[node.name] = node_spec(self.network, node)
            self.specs[node.name].peers.append(PARTY)
        self.broken: set[str] = set()
        self.away: set[str] = set()
        self.notes = io.StringIO()
        monkeypatch.setattr(module, "facts_of", lambda *_: self.facts)
        monkeypatch.setattr(module, "REPORT_SECONDS", 0.2)

    @property
    def facts(self) -> Facts:
        nodes = {
            node.name: Fact(node.host, self.specs[node.name])
            for node in self.network.nodes
            if node.host not in self.away
        }
        return Facts(nodes, tuple(self.away), frozenset({PARTY}))

    async def task(self, host: str, body: pb.SetPeers) -> pb.Result:
        """What that host's agent does."""
        if host in self.broken:
            raise LinkError(f"the agent of {host} has left")
        del self.specs[body.name].peers[:]
        self.specs[body.name].peers.extend(body.peers)
        return pb.Result(ok=True)

    @property
    def opened(self) -> OpenNetwork:
        access: Any = SimpleNamespace(running=lambda node: node.host not in self.away, task=self.task)
        access.over = lambda network: access
        made = SimpleNamespace(
            hub=None, parties=SimpleNamespace(parties=list), party_endpoints=frozenset({PARTY}), access=access,
            network=self.network,
        )  # fmt: skip
        return cast(OpenNetwork, made)

    async def tell(self) -> str:
        await tell_peers(self.opened, self.network, PlainReporter(self.notes))
        return self.notes.getvalue()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Of three hosts."""
    return World(tmp_path / "net.toml", monkeypatch)


async def test_all_learn_of_the_new_address_and_keep_their_parties(world: World) -> None:
    """Afterwards nothing differs from the inventory."""
    assert await left_to_do(world.opened)
    assert await world.tell() == ""
    assert await left_to_do(world.opened) == ()
    for node in world.network.nodes:
        peers = set(world.specs[node.name].peers)
        assert peers == {*(world.network.p2p(world.network.node(peer)) for peer in node.peers), PARTY}
        assert not any(peer.startswith("10.0.0.2:") for peer in peers)


async def test_one_that_cannot_be_told_is_named_and_the_others_are_told(world: World) -> None:
    """It alone still differs from the inventory."""
    world.broken.add("h1")
    said = await world.tell()
    names = [node.name for node in world.network.nodes if node.host == "h1"]
    for name in names:
        assert f"h1: {name} was not told its peers: the agent of h1 has left; the next boot tells it" in said
    left = await left_to_do(world.opened)
    assert {line.split(":")[0] for line in left} == {"~ h1"}
    assert len(left) == len(names)


async def test_a_host_that_is_away_is_named(world: World) -> None:
    """What runs there is unknown, so it may have to be told."""
    world.away.add("h3")
    assert await world.tell() == ""
    assert await left_to_do(world.opened) == ("h3: its agent is away",)
