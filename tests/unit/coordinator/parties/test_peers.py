"""The operator's side of the peer links with parties: which nodes dial whom, and when a dial-back counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from antelope.errors import Unreachable
from boot.step import Query
from coordinator.agents.link import RevokedError
from coordinator.engine.access import NodeAccess
from coordinator.parties import peers as module
from coordinator.parties.peers import DIAL_SECONDS, PartyPeers
from coordinator.parties.store import Party, PartyStore
from coordinator.state.folder import StateFolder
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from tests.unit.clock import played
from tests.unit.coordinator.parties.conftest import account_of, private
from tests.unit.coordinator.parties.crowd import make_network

CHAIN = "c4" * 32
AT = "8.8.8.8:9876"


@dataclass
class Nodes:
    """Stands for NodeAccess and the agents: nodes dial whom they are told, and those who listen shake hands."""

    network: Network
    running_: set[str] = field(default_factory=lambda: {"genesis", "defproducera"})
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tells: int = 0
    listening: dict[str, str] = field(default_factory=dict)
    """The chain of whoever answers, by endpoint."""
    fault: Exception | None = None
    refuses: str = ""

    def running(self, node: Node) -> bool:
        return node.name in self.running_

    def link(self, host: str) -> Nodes:
        return self

    async def task(self, body: pb.SetPeers, deadline: float) -> pb.Result:
        if isinstance(self.fault, RevokedError):
            raise self.fault
        self.tells += 1
        self.told[body.name] = tuple(body.peers)
        return pb.Result(ok=not self.refuses, error=self.refuses)

    async def ask(self, query: Query) -> Any:
        if self.fault:
            raise self.fault
        return [
            {"peer": peer.upper(), "last_handshake": {"chain_id": self.listening[peer]}}
            for peer in self.told.get(str(query.node), ())
            if peer in self.listening
        ]


@dataclass
class Setting:
    """The operator's nodes and the book of parties."""

    nodes: Nodes
    store: PartyStore
    peers: PartyPeers

    def party(self, name: str, endpoint: str = AT, neighbours: tuple[str, ...] = ("defproducera",)) -> Party:
        """One that registered."""
        keys = [str(private(f"{kind} {name}").public) for kind in ("account", "signing")]
        self.store.joined(name, account_of(name))
        self.store.accepted(name, keys[0], keys[1], endpoint, "v5", "")
        self.store.linked(name, neighbours)
        found = self.store.find(name)
        assert found
        return found


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    """Nobody is there yet; each look is a new one."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    nodes, state = Nodes(make_network(tmp_path)), StateFolder(tmp_path / "state", "net")
    store = PartyStore(state.journal)
    yield Setting(nodes, store, PartyPeers(cast(NodeAccess, nodes), store, CHAIN))
    state.close()


def dialled(setting: Setting, party: Party) -> tuple[str, float]:
    """What is wrong with its endpoint, and how long that took."""
    return played(setting.peers.dial(party))


def found(setting: Setting, name: str) -> bool:
    """Whether its endpoint counts as found."""
    party = setting.store.find(name)
    return party is not None and party.found


def test_a_party_is_found_once_its_neighbour_has_reached_it(setting: Setting) -> None:
    """Its neighbour dials; a handshake of this chain counts, and is recorded."""
    alice = setting.party("alice")
    setting.nodes.listening[AT] = CHAIN
    assert dialled(setting, alice)[0] == ""
    assert found(setting, "alice")
    assert list(setting.nodes.told) == ["defproducera"]
    assert AT in setting.nodes.told["defproducera"]


def test_another_chain_is_no_answer(setting: Setting) -> None:
    """Nor is silence: after some seconds the reason names the endpoint and a remedy."""
    alice = setting.party("alice")
    for chain in ("", "ab" * 32):
        setting.nodes.listening = {AT: chain} if chain else {}
        said, seconds = dialled(setting, alice)
        assert said == f"p2p endpoint {AT}: no node of this chain answered defproducera there; is the port open?"
        assert DIAL_SECONDS <= seconds < DIAL_SECONDS + 1
    assert not found(setting, "alice")


def test_whoever_runs_dials_where_no_neighbour_does(setting: Setting) -> None:
    """If its neighbour does not run, another node dials; if none runs, that is the reason."""
    alice = setting.party("alice")
    setting.nodes.running_ = {"genesis"}
    setting.nodes.listening[AT] = CHAIN
    assert dialled(setting, alice)[0] == ""
    assert list(setting.nodes.told) == ["genesis"]
    setting.nodes.running_ = set()
    assert "none of the operator's nodes runs" in dialled(setting, alice)[0]


def test_a_node_that_cannot_be_asked_is_told(setting: Setting) -> None:
    """The reason names the operator's node, because the party is not at fault."""
    alice = setting.party("alice")
    setting.nodes.fault = Unreachable("its agent is away")
    assert dialled(setting, alice)[0] == "defproducera could not dial it back: its agent is away"


def test_an_endpoint_that_changes_meanwhile_is_not_found(setting: Setting) -> None:
    """The endpoint that was reached is no longer the party's."""
    alice = setting.party("alice")
    setting.nodes.listening[AT] = CHAIN
    setting.party("alice", "8.8.4.4:9876")
    assert "changed meanwhile" in dialled(setting, alice)[0]
    assert not found(setting, "alice")


def test_each_node_is_told_whom_to_dial_when_that_changes(setting: Setting) -> None:
    """The inventory's peers and the parties linked with it; not again without a change, nor while it is down."""

    async def told() -> dict[str, tuple[str, ...]]:
        setting.peers.spread()
        await asyncio.gather(*setting.peers._jobs.values())
        await setting.peers.close()
        return setting.nodes.told

    assert played(told())[0] == {}  # nobody but the inventory's, which they have
    alice = setting.party("alice")
    setting.store.dialled("alice", AT)
    assert alice
    planned = tuple(
        setting.nodes.network.p2p(setting.nodes.network.node(peer))
        for peer in setting.nodes.network.node("defproducera").peers
    )
    assert played(told())[0] == {"defproducera": (*planned, AT)}
    tells = setting.nodes.tells
    played(told())
    assert setting.nodes.tells == tells


def test_what_a_node_refuses_is_told_again(setting: Setting) -> None:
    """At the next look; a revoked agent ends nothing."""
    setting.party("alice")
    setting.store.dialled("alice", AT)
    node = setting.nodes.network.node("defproducera")
    setting.nodes.refuses = "it is stopping"
    for tells in (1, 2):
        played(setting.peers.refresh(node))
        assert setting.nodes.tells == tells
    setting.nodes.refuses = ""
    played(setting.peers.refresh(node))
    played(setting.peers.refresh(node))
    assert setting.nodes.tells == 3
