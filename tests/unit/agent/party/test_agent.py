"""A party's agent against a real hub: what it registers, how it refuses, how it leaves."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent import session
from agent.config import DataFolder
from agent.dialling import read_credentials
from agent.duties import tools
from agent.errors import AccessEnded, DutyError, NodeFault
from agent.party import agent as party_agent
from agent.party import settings
from agent.party.agent import PartyAgent
from agent.party.control import Answer, Request, ask
from agent.party.joining import Joining, read_token
from agent.party.node import OwnNode
from coordinator.agents.hub import Hub
from coordinator.agents.link import AgentLink
from coordinator.agents.records import Records
from coordinator.agents.task_bodies import TaskBody
from coordinator.parties.invitations import invite
from coordinator.parties.reception import Reception
from coordinator.parties.store import Party, Standing
from inventory.seal import SealedBundle
from protos import coordination_pb2 as pb
from support.journal import Journal
from support.retry import poll
from tests.unit.agent.party.conftest import ALICE, FakeNode, FakeNodes
from tests.unit.coordinator.fakes import listening
from tests.unit.coordinator.parties.conftest import RULES

ENDPOINT = "8.8.8.8:9876"


class StillNodes(FakeNodes):
    """Nodes that neither run nor start anything, as the agent itself opens them."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    async def open(self) -> None:
        """Nothing is found."""

    async def close(self) -> None:
        """Nothing was opened."""

    async def capabilities(self, nodeos: str) -> Any:
        """A nodeos that is new enough."""
        return SimpleNamespace(version="v5.0.3")

    def client(self, name: str) -> FakeNode:
        """There is none."""
        self.record(name)
        return super().client(name)

    async def status(self) -> list[Any]:
        """None runs."""
        return []


@dataclass
class Scene:
    """A hub with a sealed network, and one party's agent that runs."""

    hub: Hub
    folder: DataFolder
    agent: PartyAgent
    bundle: SealedBundle
    running: asyncio.Task[None]
    reception: Reception
    said: list[str] = field(default_factory=list)

    @property
    def link(self) -> AgentLink:
        """The hub's end."""
        return self.hub.links["alice"]

    @property
    def party(self) -> Party:
        """What the coordinator knows of it."""
        found = self.reception.store.find("alice")
        assert found
        return found

    async def becomes(self, what: Callable[[], object]) -> None:
        """Waits until the party has this state."""

        async def so() -> bool:
            return bool(what())

        await poll(so, what="the coordinator to know", deadline=30, every=0.02)


async def _addresses(host: str) -> tuple[str, ...]:
    return (host,)


@asynccontextmanager
async def playing(tmp_path: Path, bundle: SealedBundle, manifest: str = "", chain_id: str = "") -> AsyncIterator[Scene]:
    """Joins, and serves."""
    rules = replace(RULES, chain_id=chain_id or bundle.sealed.chain_id)
    records = Records(tmp_path / "state", "net")
    reception = Reception(records, lambda: rules, _addresses)
    async with listening(records, reception) as hub:
        for data in (bundle.sealed.canonical(), *bundle.artifacts.values()):
            hub.artifacts.put(data)
        token = invite(records.journal, hub.authority, "alice", ALICE, (f"127.0.0.1:{hub.port}",), timedelta(hours=1))
        folder = DataFolder(tmp_path / "alice")
        await Joining(read_token(token), folder).redeem("info", local=False)
        settings.write(folder.party, settings.settle({"account": ALICE, "p2p": ENDPOINT, "manifest": manifest}))
        journal = Journal(folder.journal)
        agent = party_agent.party_agent(folder, folder.read(), journal)
        running = asyncio.create_task(agent.run(read_credentials(folder, folder.read())))
        try:
            await hub.agent("alice", 30)
            yield Scene(hub, folder, agent, bundle, running, reception)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await agent.close()
            journal.close()


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No nodeos runs here."""
    monkeypatch.setattr(tools, "Nodes", StillNodes)


async def test_it_registers_by_itself(tmp_path: Path, bundle: SealedBundle) -> None:
    """Account, endpoint, and both keys with proofs for this stream; again when the coordinator comes back."""
    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        assert scene.party.account_key == str(scene.agent.party.own.account_key)
        assert scene.party.signing_key == str(scene.agent.party.own.signer_key)
        assert (scene.party.endpoint, scene.party.nodeos) == (ENDPOINT, "v5.0.3")


async def test_what_holds_it_up_reaches_its_operator(
    tmp_path: Path, bundle: SealedBundle, caplog: pytest.LogCaptureFixture
) -> None:
    """A reason is reported once, however often the coordinator repeats it, and again when it changes."""
    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        for why in ("the budget\nis spent", "the budget\nis spent", "the sponsor is poor"):
            scene.reception.tell_trouble("alice", why)
        await scene.becomes(lambda: "poor" in caplog.text)
        said = [message.partition(" is held up, says the coordinator: ")[2] for message in caplog.messages]
        assert [words for words in said if words] == ["the budget is spent", "the sponsor is poor"]


async def test_a_pinned_manifest_is_told_and_kept_to(
    tmp_path: Path, bundle: SealedBundle, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator has another manifest: the agent does not register, and tells its operator why, once."""
    monkeypatch.setattr(party_agent, "AGAIN_SECONDS", 0.05)
    tries: list[pb.Admission] = []
    admitted = PartyAgent.admitted

    def counted(agent: PartyAgent, said: pb.Admission) -> None:
        tries.append(said)
        admitted(agent, said)

    monkeypatch.setattr(PartyAgent, "admitted", counted)
    async with playing(tmp_path, bundle, manifest="f" * 64) as scene:
        await scene.becomes(lambda: len(tries) > 2)
        assert caplog.text.count("does not take") == 1
        assert "manifest that you pinned" in caplog.text
        result = await scene.link.task(pb.Hold(sha256=bundle.sealed.manifest), deadline=30)
        assert "pinned" in result.error
        assert not scene.party.accepted


async def test_another_chain_than_the_keys_were_proved_for_is_not_taken(
    tmp_path: Path, bundle: SealedBundle, caplog: pytest.LogCaptureFixture
) -> None:
    """The coordinator named one chain at the registration, and later offers the sealed network of another."""
    async with playing(tmp_path, bundle, chain_id="d5" * 32) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        result = await scene.link.task(pb.Hold(sha256=bundle.sealed.manifest), deadline=30)
        assert "the keys proved for chain d5d5" in result.error
        assert scene.link.hello
        assert scene.agent.party.holding.network is None


async def test_a_rogue_coordinator_gets_nothing(
    tmp_path: Path, bundle: SealedBundle, caplog: pytest.LogCaptureFixture
) -> None:
    """A rogue coordinator has a valid certificate: each demand is refused, logged, and answered with the reason."""
    demands: list[TaskBody] = [
        pb.RunStep(step="resign", keys=["resign"], node=ALICE),
        pb.StartNode(spec=pb.NodeSpec(name="x", role="full", nodeos="/bin/sh"), mode=pb.MODE_NORMAL),
        pb.Collect(accounts=["eosio"], signers=["eosio"], network="net", nodeos="bundled"),
        pb.Sponsor(account="mallory11111", public_key=str(bundle.sealed.eosio_key)),
        pb.Elect(producers=["mallory11111"]),
        pb.Execute(proposal="x"),
        pb.Hold(sha256="f" * 64),
    ]
    async with playing(tmp_path, bundle) as scene:
        assert (await scene.link.task(pb.Hold(sha256=bundle.sealed.manifest), deadline=20)).ok
        answers = [await scene.link.task(body, deadline=30) for body in demands]
        for answer in answers:
            assert not answer.ok
            assert answer.error in caplog.text
        assert isinstance(scene.agent.nodes, StillNodes)
        assert scene.agent.nodes.started == []
        told = "\n".join((caplog.text, *(str(answer) for answer in answers)))
        assert not re.search(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b|PVT_K1_", told)


async def test_it_leaves_when_its_operator_says_so(tmp_path: Path, bundle: SealedBundle) -> None:
    """The coordinator is told, the agent ends, and the folder records that it left."""
    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        assert await ask(scene.folder.path, Request("leave"), scene.said.append) == Answer(0)
        await asyncio.wait_for(scene.running, 30)
        await scene.becomes(lambda: scene.party.state is Standing.LEFT)
        assert "the coordinator is told" in scene.said
        assert (scene.folder.path / settings.LEFT).exists()


@pytest.mark.advice("agent/party/agent.py: agent leave --force")
async def test_one_that_cannot_unregister_leaves_by_force(
    tmp_path: Path, bundle: SealedBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stopped before its operator types what the message says."""

    async def refused(*_: object) -> None:
        raise DutyError("its node is not in sync")

    monkeypatch.setattr("agent.party.agent.unregister", refused)
    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        assert await ask(scene.folder.path, Request("leave"), scene.said.append) == Answer(1)
        advised = f"agent leave --data {scene.folder.path} --force"
        assert scene.said[-1].endswith(f"nothing was stopped; to leave without unregistering: {advised}")
        assert await ask(scene.folder.path, Request("leave", force=True), scene.said.append) == Answer(0)
        await asyncio.wait_for(scene.running, 30)


async def test_a_leave_that_fails_may_be_tried_again(
    tmp_path: Path, bundle: SealedBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node cannot be stopped: the agent stays a member and keeps working, and the next attempt succeeds."""

    async def status(nodes: StillNodes) -> list[Any]:
        return [SimpleNamespace(name=ALICE)]

    async def stuck(nodes: StillNodes, name: str) -> None:
        raise NodeFault(f"node {name} did not end after SIGTERM")

    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted)
        with monkeypatch.context() as broken:
            broken.setattr(StillNodes, "status", status)
            broken.setattr(StillNodes, "stop", stuck, raising=False)
            assert await ask(scene.folder.path, Request("leave", force=True), scene.said.append) == Answer(1)
        assert not scene.agent.party.leaving
        assert await ask(scene.folder.path, Request("leave", force=True), scene.said.append) == Answer(0)
        await asyncio.wait_for(scene.running, 30)


async def test_a_revoked_one_ends_after_its_node_was_started(
    tmp_path: Path, bundle: SealedBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reboot the node is started although the coordinator refuses its agent; no call is left open."""
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    generators: list[Any] = []
    before = sys.get_asyncgen_hooks()

    async def resume(_duties: object) -> None:
        begun.set()
        await may_go_on.wait()

    def first(generator: Any) -> None:
        generators.append(generator)
        if before.firstiter:
            before.firstiter(generator)

    monkeypatch.setattr(OwnNode, "resume", resume)
    sys.set_asyncgen_hooks(firstiter=first)
    async with playing(tmp_path, bundle) as scene:
        await scene.becomes(lambda: scene.party.accepted and begun.is_set())
        scene.hub.revoke("alice")
        await scene.becomes(lambda: not scene.link.connected)
        assert not (await asyncio.wait([scene.running], timeout=0.3))[0]
        may_go_on.set()
        with pytest.raises(AccessEnded, match="alice was revoked"):
            await asyncio.wait_for(scene.running, 30)
        assert [one for one in generators if one.ag_frame and one.ag_code.co_filename == session.__file__] == []


async def test_what_its_operator_asks_in_vain(tmp_path: Path, bundle: SealedBundle) -> None:
    """Without a node there is nothing to vote with: one line says so."""
    async with playing(tmp_path, bundle) as scene:
        assert await ask(scene.folder.path, Request("vote", producers=("bob",)), scene.said.append) == Answer(1)
        assert scene.said == [f"this host has no node {ALICE}"]
