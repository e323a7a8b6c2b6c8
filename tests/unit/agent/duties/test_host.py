"""What the agent does for a coordinator, and what it refuses."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from agent.config import AgentConfig
from agent.duties.host import HostDuties
from agent.duties.tools import Tools
from agent.errors import BadConfiguration, PortTaken, SessionEnded
from agent.keys import KeyStore
from agent.memory import Memory
from agent.nodeos.probe import Capabilities
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeRecord
from agent.nodes.leases import Leases, Standing
from agent.nodes.supervisor import Nodes
from agent.session import TakePart
from antelope.genesis import Genesis
from antelope.http import NodeClient
from antelope.keys import PrivateKey, PublicKey, Signature
from boot.step import NodeMode
from inventory.network import Role
from inventory.rows import pack_allocation
from inventory.sealed import FORMAT, Sealed, SealedContract, SealedFeature
from protos import coordination_pb2 as pb
from support.artifacts import ArtifactStore
from support.journal import Journal
from support.possession import Challenge
from support.snapshots import SnapshotStore
from tests.unit.agent.fake_chain import FakeChain

STEP = "system-accounts"


class FakeNodes:
    """Nodes that never start."""

    def __init__(self, chain: FakeChain) -> None:
        self.chain = chain
        self.started: list[tuple[str, str | None]] = []
        self.rehearsed: list[str] = []

    async def capabilities(self, nodeos: str) -> Capabilities:
        """A nodeos without features."""
        return Capabilities("5" * 64, "v5", frozenset(), ())

    async def rehearse(self, specs: Iterable[NodeSpec]) -> None:
        """Reports a specification that cannot start."""
        self.rehearsed += [spec.name for spec in specs]
        if "bad" in self.rehearsed:
            raise BadConfiguration("node bad: its nodeos says: net-threads 0 must be greater than 0")

    async def start(
        self, spec: object, mode: object, genesis: bytes, chain_id: str, snapshot: object, anew: bool
    ) -> None:
        """Fails: a port is taken."""
        self.started.append((genesis.decode(), chain_id))
        raise PortTaken("node genesis: 127.0.0.1:8888 is taken:\nanother program listens there")

    def client(self, name: str) -> NodeClient:
        """The fake chain."""
        return self.chain

    def record(self, name: str) -> NodeRecord:
        """A genesis node whose p2p port nobody listens on."""
        spec = NodeSpec("genesis", Role.GENESIS, "eosio", "127.0.0.1:1", "127.0.0.1:1", 1)
        return NodeRecord(spec, NodeMode.GENESIS, "ab" * 32)


class Bench:
    """An agent's duties, with a coordinator's artifacts to fetch."""

    def __init__(self, folder: Path) -> None:
        self.served: dict[str, bytes] = {}
        self.progress: list[pb.Progress] = []
        self.keys = KeyStore(folder / "keys")
        self.chain = FakeChain()
        self.nodes = FakeNodes(self.chain)
        self.memory = Memory(Journal(folder / "journal.sqlite"))
        self.artifacts = ArtifactStore(folder / "artifacts")
        config = AgentConfig("net", "alpha", "127.0.0.1:1")
        journal = Journal(folder / "journal.sqlite")
        nodes = cast(Nodes, self.nodes)
        kept, self.leases = SnapshotStore(folder / "snapshots"), Leases(self.memory)
        stores = self.keys, self.artifacts, journal, self.memory, self.leases
        self.duties = HostDuties(Tools(config, nodes, *stores, self._fetch, kept, self._fetch_parts))

    async def _fetch(self, sha256: str) -> bytes:
        if sha256 not in self.served:
            raise SessionEnded("no such artifact")
        return self.served[sha256]

    async def _fetch_parts(self, sha256: str, offset: int, take: TakePart) -> None:
        await take((await self._fetch(sha256))[offset:])

    async def do(self, **body: object) -> pb.Result:
        """Carries a task out."""
        return await self.duties.carry_out(pb.Task(id="t", **body), self.progress.append)  # type: ignore[arg-type]

    def serve(self, change: Callable[[Sealed], Sealed] = lambda sealed: sealed) -> Sealed:
        """Lets the coordinator hold a sealed network and its artifacts."""
        store = ArtifactStore(self.artifacts.folder.parent / "coordinator")
        genesis = Genesis(datetime(2026, 1, 1, tzinfo=UTC), self.keys.signer_key("eosio"))
        code = SealedContract("eosio", store.put(b"wasm"), store.put(b"abi"))
        sealed = change(
            Sealed(
                format=FORMAT,
                network="net",
                chain_id=genesis.chain_id(),
                genesis=json.loads(genesis.to_json()),
                symbol="4,SYS",
                max_supply=10,
                issue=10,
                boot_contract=code,
                contracts=(code,),
                system_accounts=("eosio.ram", "eosio.stake"),
                features=(SealedFeature("PREACTIVATE_FEATURE", "0" * 64),),
                allocation=store.put(pack_allocation([])),
                accounts=0,
                producers=(),
                proxies=(),
                votes=(),
            )
        )
        store.put(sealed.canonical())
        self.served = {path.name: path.read_bytes() for path in store.folder.iterdir()}
        self.chain.chain_id = sealed.chain_id
        return sealed

    async def hold(self, sealed: Sealed) -> pb.Result:
        """Has the agent store it."""
        return await self.do(hold=pb.Hold(sha256=sealed.manifest))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A fresh bench."""
    return Bench(tmp_path)


async def test_collected_keys_are_proved(bench: Bench) -> None:
    """Each key comes with a signature over network, account and nonce; a second request returns the same key."""
    wanted = pb.Collect(accounts=["alice"], signers=["prod"], nodeos="bundled", nonce=b"n", network="net")
    first, second = await bench.do(collect=wanted), await bench.do(collect=wanted)
    assert first.ok
    assert first == second
    (alice,), (prod,) = first.collected.accounts, first.collected.signers
    for key in (alice, prod):
        digest = Challenge("net", "", b"n").digest(key.account)
        assert Signature.parse(key.proof).verify(digest, PublicKey.parse(key.public_key))
    other = await bench.do(collect=pb.Collect(nodeos="bundled", network="other"))
    assert "not 'other'" in other.error


async def test_nodes_are_tried_before_anything_is_told(bench: Bench) -> None:
    """A host whose node cannot start reports no keys for the seal, and says why."""

    def spec(name: str) -> pb.NodeSpec:
        return pb.NodeSpec(name=name, role="full", p2p_bind="h:1", p2p_endpoint="h:1", http_port=8888, nodeos="bundled")

    good = await bench.do(collect=pb.Collect(nodeos="bundled", network="net", nodes=[spec("good")]))
    assert good.ok
    bad = await bench.do(collect=pb.Collect(nodeos="bundled", network="net", nodes=[spec("good"), spec("bad")]))
    assert "net-threads 0 must be greater than 0" in bad.error
    assert not bad.HasField("collected")


async def test_a_held_manifest_is_pinned(bench: Bench) -> None:
    """The agent fetches every artifact that the sealed network names, checks it, and accepts no other network later."""
    sealed = bench.serve()
    assert (await bench.hold(sealed)).ok
    assert bench.duties.manifest == sealed.manifest
    assert all(bench.artifacts.has(sha256) for sha256 in sealed.artifacts)
    assert (await bench.hold(sealed)).ok
    other = bench.serve(lambda one: dataclasses.replace(one, issue=11))
    refused = await bench.hold(other)
    assert "takes no other" in refused.error
    assert not refused.retryable


async def test_what_does_not_fit_is_not_held(bench: Bench) -> None:
    """Refused: another network, a chain id that does not match the genesis, forged bytes, missing bytes."""
    other = bench.serve(lambda one: dataclasses.replace(one, network="other"))
    assert "'other'" in (await bench.hold(other)).error
    wrong = bench.serve(lambda one: dataclasses.replace(one, chain_id="0" * 64))
    assert "does not follow" in (await bench.hold(wrong)).error
    forged = bench.serve()
    bench.served[forged.manifest] = wrong.canonical()
    assert "other bytes" in (await bench.hold(forged)).error
    gone = await bench.do(hold=pb.Hold(sha256="1" * 64))
    assert (gone.error, gone.retryable) == ("no such artifact", True)
    assert "not the name" in (await bench.do(hold=pb.Hold(sha256="../../etc/passwd"))).error
    assert bench.duties.manifest == ""


async def test_what_is_held_is_handed_out_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent returns the sealed document and its artifacts to a coordinator that lost them, and no other file."""
    monkeypatch.setattr("agent.duties.holding.PART", 100)
    assert "no sealed network" in (await bench.do(hand=pb.Hand(sha256="1" * 64))).error
    sealed = bench.serve()
    await bench.hold(sealed)
    for sha256 in (sealed.manifest, *sealed.artifacts):
        data = b""
        while True:
            result = await bench.do(hand=pb.Hand(sha256=sha256, offset=len(data)))
            assert result.ok
            assert len(result.handed.data) <= 100
            data += result.handed.data
            if len(data) == result.handed.size:
                break
        assert hashlib.sha256(data).hexdigest() == sha256
    beyond = await bench.do(hand=pb.Hand(sha256=sealed.manifest, offset=1 << 40))
    assert (beyond.ok, beyond.handed.data) == (True, b"")
    stranger = bench.artifacts.put(b"of another network")
    for name in (stranger, "../keys/accounts.json", ""):
        refused = await bench.do(hand=pb.Hand(sha256=name))
        assert (refused.ok, "refused" in refused.error, refused.handed.data) == (False, True, b"")


async def test_a_damaged_artifact_is_fetched_again(bench: Bench) -> None:
    """The next boot has the agent store the network again, which repairs it."""
    sealed = bench.serve()
    await bench.hold(sealed)
    bench.artifacts.path(sealed.allocation).write_bytes(b"torn")
    assert not bench.artifacts.intact(sealed.allocation)
    assert (await bench.hold(sealed)).ok
    assert bench.artifacts.intact(sealed.allocation)


async def test_a_step_is_derived_and_done_once(bench: Bench) -> None:
    """Only the requested keys are pushed; a recount reports them again; a second run pushes nothing."""
    await bench.hold(bench.serve())
    async with bench.chain.running():
        run = pb.RunStep(step=STEP, keys=["eosio.ram"], node="genesis")
        assert (await bench.do(run_step=run)).ok
        assert (await bench.do(run_step=run)).ok
    (first, again) = (one.pushed[0] for one in bench.progress)
    assert first == again
    assert len(bench.chain.pushes) == 1
    actions = bench.chain.pushes[0].transaction.actions
    assert [action.name for action in actions] == ["newaccount"]
    bench.progress.clear()
    assert (await bench.do(recount=pb.Recount(step=STEP))).ok
    assert list(bench.progress[0].pushed) == [first]


async def test_what_is_not_derived_is_not_pushed(bench: Bench) -> None:
    """Unknown steps and keys, steps that push nothing, and another chain are refused."""
    assert "no sealed network" in (await bench.do(run_step=pb.RunStep(step=STEP))).error
    await bench.hold(bench.serve())
    for run, reason in (
        (pb.RunStep(step="steal", keys=["x"]), "knows no step"),
        (pb.RunStep(step="handover", keys=["x"]), "knows no step"),
        (pb.RunStep(step=STEP, keys=["eosio.evil"]), "is not a part of it"),
    ):
        assert reason in (await bench.do(run_step=run)).error
    bench.chain.chain_id = "d" * 64
    assert "another chain" in (await bench.do(run_step=pb.RunStep(step=STEP, keys=["eosio.ram"]))).error
    assert bench.chain.pushes == []


async def test_a_node_starts_from_the_sealed_genesis(bench: Bench) -> None:
    """No message can change the genesis; a failure is one line, and retryable if its error says so."""
    sealed = bench.serve()
    await bench.hold(sealed)
    spec = pb.NodeSpec(
        name="genesis",
        role="genesis",
        account="eosio",
        p2p_bind="127.0.0.1:9876",
        p2p_endpoint="127.0.0.1:9876",
        http_port=8888,
        nodeos="bundled",
    )
    result = await bench.do(start_node=pb.StartNode(spec=spec, mode=pb.MODE_GENESIS))
    assert result.error == "node genesis: 127.0.0.1:8888 is taken: another program listens there"
    assert result.retryable
    genesis, chain_id = bench.nodes.started[0]
    assert Genesis.from_json(genesis).chain_id() == chain_id == sealed.chain_id
    assert "mode 0" in (await bench.do(start_node=pb.StartNode(spec=spec))).error
    spec.name = "../evil"
    assert "name cannot be" in (await bench.do(start_node=pb.StartNode(spec=spec, mode=pb.MODE_NORMAL))).error


async def test_an_unknown_task_says_so(bench: Bench) -> None:
    """A task of a newer coordinator is refused."""
    assert "does not know such a task" in (await bench.do()).error


async def test_a_producer_that_moves_signs_where_its_earlier_key_is_until_that_is_gone(bench: Bench) -> None:
    """The lease for the new key, on another host, does not take the earlier host's; any other lease does."""
    bench.keys.make([], ["prod", "other"])
    sealed = bench.serve()
    assert (await bench.hold(sealed)).ok
    moved = pb.Lease(account="prod", number=2, host="elsewhere", key=str(PrivateKey.generate().public))
    taken = pb.Lease(account="other", number=2, host="elsewhere")
    assert (await bench.do(leases=pb.Leases(leases=[moved, taken]))).ok
    standing = {name: bench.leases.of(name).standing for name in ("prod", "other")}
    assert standing == {"prod": Standing.FREE, "other": Standing.TAKEN}
    bench.keys.keep_signer("prod", None)
    assert (await bench.do(leases=pb.Leases(leases=[moved]))).ok
    assert bench.leases.of("prod").standing is Standing.TAKEN
