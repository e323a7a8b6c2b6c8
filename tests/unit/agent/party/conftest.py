"""A party's agent on a sealed network, with nodes that only remember what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from agent.config import AgentConfig
from agent.duties.tools import Tools
from agent.errors import UnknownNode
from agent.keys import KeyStore
from agent.memory import Memory
from agent.nodeos.spec import NodeSpec
from agent.nodes.first_start import Source
from agent.nodes.folder import NodeRecord
from agent.nodes.leases import Leases
from agent.nodes.supervisor import Nodes
from agent.party.duties import PartyDuties
from agent.party.settings import PartySettings
from agent.session import TakePart
from antelope.answers import Info
from antelope.names import name_to_int
from boot.step import NodeMode
from inventory.allocation import holdings
from inventory.load import load
from inventory.seal import Collected, SealedBundle, seal
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.identity import Kind
from support.journal import Journal
from support.snapshots import SnapshotStore
from tests.unit.inventory.material import SUPPORTED, contracts, key

ALICE = "alice1111111"
INVENTORY = '[network]\nname = "net"\n[parties]\nsponsor = "sponsor"\nlimit = 2\n'


def sealed_network(folder: Path, inventory: str = INVENTORY) -> SealedBundle:
    """A small network, sealed."""
    path = folder / "net.toml"
    path.write_text(inventory)
    network = load(path)
    accounts = [holding.account for holding in holdings(network, ())]
    collected = Collected(
        eosio_key=key("eosio"),
        account_keys={account: key(account) for account in accounts},
        signing_keys={producer.account: key(f"sign {producer.account}") for producer in network.producers},
        features={network.genesis_node.host: SUPPORTED},
        contracts=contracts(network),
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        imported={},
    )
    return seal(network, collected)


@dataclass
class FakeNode:
    """The own node's answers: accounts and table rows, by code, scope, table and key."""

    accounts: dict[str, Any] = field(default_factory=dict)
    rows: dict[tuple[str, str, str, str], Mapping[str, Any]] = field(default_factory=dict)

    async def get_info(self) -> Info:
        """A head of now."""
        now = datetime.now(UTC)
        return Info("c" * 64, 100, "00" * 32, now, "x", 90, "00" * 32, None, "v5")

    async def find_account(self, name: str) -> Any:
        """As put here."""
        return self.accounts.get(name)

    async def find_row(self, code: str, scope: str, table: str, number: int) -> Mapping[str, Any] | None:
        """As put here."""
        return next(
            (
                row
                for (c, s, t, k), row in self.rows.items()
                if (c, s, t, name_to_int(k)) == (code, scope, table, number)
            ),
            None,
        )


@dataclass
class FakeNodes:
    """Remembers what was started."""

    node: FakeNode = field(default_factory=FakeNode)
    started: list[tuple[NodeSpec, NodeMode, str]] = field(default_factory=list)
    begun_with: list[Source | None] = field(default_factory=list)

    async def start(
        self, spec: NodeSpec, mode: NodeMode, genesis: bytes, chain_id: str, snapshot: Source | None = None
    ) -> str:
        """It runs from now on."""
        json.loads(genesis)
        self.started.append((spec, mode, chain_id))
        self.begun_with.append(snapshot)
        return ""

    def record(self, name: str) -> NodeRecord:
        """How it was started last."""
        for spec, mode, chain_id in reversed(self.started):
            if spec.name == name:
                return NodeRecord(spec, mode, chain_id)
        raise UnknownNode(f"this host has no node {name}")

    def client(self, name: str) -> FakeNode:
        """The one node's answers."""
        return self.node


@dataclass
class Home:
    """A party's duties, with everything they need."""

    duties: PartyDuties
    nodes: FakeNodes
    keys: KeyStore
    bundle: SealedBundle
    fetched: list[str]
    journal: Journal
    served: dict[str, bytes]

    def serve(self, artifacts: Mapping[str, bytes]) -> None:
        """Lets the coordinator offer this from now on."""
        self.served.clear()
        self.served.update(artifacts)

    async def do(self, **body: Any) -> pb.Result:
        """Carries a task out."""
        return await self.duties.carry_out(pb.Task(id="1", epoch=1, **body), lambda progress: None)

    async def hold(self) -> None:
        """Accepts the sealed network."""
        result = await self.do(hold=pb.Hold(sha256=self.bundle.sealed.manifest))
        assert result.ok, result.error


def home(folder: Path, settings: PartySettings, bundle: SealedBundle) -> Home:
    """A party that has its keys and has joined."""
    config = AgentConfig("net", "alice", "h:1", kind=Kind.PARTY)
    keys, nodes, journal = KeyStore(folder / "keys"), FakeNodes(), Journal(folder / "journal.sqlite")
    keys.make([settings.account], [settings.account])
    fetched: list[str] = []
    served = {bundle.sealed.manifest: bundle.sealed.canonical(), **bundle.artifacts}

    async def fetch(sha256: str) -> bytes:
        fetched.append(sha256)
        return served[sha256]

    async def fetch_parts(sha256: str, offset: int, take: TakePart) -> None:
        await take((await fetch(sha256))[offset:])

    artifacts, kept = ArtifactStore(folder / "artifacts"), SnapshotStore(folder / "snapshots")
    memory = Memory(journal)
    stores = keys, artifacts, journal, memory, Leases(memory)
    tools = Tools(config, cast(Nodes, nodes), *stores, fetch, kept, fetch_parts)
    duties = PartyDuties(settings, folder, tools)
    return Home(duties, nodes, keys, bundle, fetched, journal, served)


@pytest.fixture
def bundle(tmp_path: Path) -> SealedBundle:
    """The sealed network and its artifacts."""
    return sealed_network(tmp_path)


@pytest.fixture
def alice(tmp_path: Path, bundle: SealedBundle) -> Home:
    """A party with the default policy."""
    return home(tmp_path, PartySettings(ALICE, "p2p.alice.example:9876", url="https://alice.example"), bundle)
