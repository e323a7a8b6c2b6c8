"""Many parties at once over real gRPC: each gets as far as it can, whatever the others do."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from antelope.elections import MAX_VOTED_PRODUCERS
from coordinator.agents.records import Records
from coordinator.parties import onboarding, store
from coordinator.parties.neighbours import PeerGraph
from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.reception import Reception
from coordinator.parties.rules import RulesOf
from coordinator.parties.store import Standing
from coordinator.state.folder import StateFolder
from coordinator.workflows.serving import endpoints
from protos import coordination_pb2 as pb
from support.retry import poll
from support.tasks import beside
from tests.unit.coordinator.fakes import FakeWork, credentials, listening
from tests.unit.coordinator.parties.conftest import (
    FakeParty,
    Setting,
    World,
    account_of,
    dial,
    join,
    private,
    proved,
    registration,
)
from tests.unit.coordinator.parties.crowd import Crowd, make_network, make_sealed, make_session

READY = (Standing.VOTABLE, Standing.VOTED, Standing.PRODUCING)


@dataclass
class Stage:
    """Everything, with the shell running."""

    world: World
    crowd: Crowd
    opened: OpenNetwork
    told: list[str]
    sessions: list[asyncio.Task[None]]

    async def come(self, name: str, work: FakeWork) -> None:
        """A party joins and opens its session."""
        shown = await join(self.world.invited(name), self.world.folder / f"{name}.key")
        self.sessions.append(dial(self.world, shown, work))

    def standing(self, name: str) -> Standing | None:
        """As the book has it."""
        party = self.world.store.find(name)
        return party.state if party else None

    def why(self, name: str) -> str:
        """As the book has it."""
        party = self.world.store.find(name)
        return party.why if party else ""

    async def until(self, names: list[str], *standings: Standing, seconds: float = 20) -> None:
        """Waits until each of them stands there."""

        async def there() -> bool:
            return all(self.standing(name) in standings for name in names)

        def what() -> str:
            return ", ".join(f"{name}: {self.standing(name)}: {self.why(name)}" for name in names)

        await poll(there, what=what, deadline=seconds, every=0.05)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A booted network with one host, and nobody there yet. The shell looks more often than usual."""
    for name, seconds in (("LOOK_SECONDS", 0.1), ("CHAIN_SECONDS", 0.1), ("GATHER_SECONDS", 0.5)):
        monkeypatch.setattr(onboarding, name, seconds)
    network, state = make_network(tmp_path), StateFolder(tmp_path / "states", "net")
    sealed = make_sealed(network, state)
    records = Records(state.folder, "net")
    reception = Reception(records, RulesOf(network, lambda: sealed, state.artifacts.get))
    async with listening(records, reception) as hub:
        world = World(hub, tmp_path, reception, Setting())
        crowd = Crowd(sealed)
        told: list[str] = []
        opened = make_session(network, state, hub, reception)
        stage = Stage(world, crowd, opened, told, [])
        stage.sessions.append(dial(world, credentials(hub, tmp_path, "local"), crowd.operator()))
        await hub.agent("local", 30)
        shell = asyncio.create_task(Onboarding(opened, told.append).run())
        yield stage
        shell.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shell
        for one in stage.sessions:
            one.cancel()
    records.close()
    state.close()


async def test_a_party_gets_all_the_way(stage: Stage) -> None:
    """Followed, dialled back, sponsored, registered, attested, voted for; the operator's nodes know its endpoint."""
    await stage.come("alice", stage.crowd.party("alice", "8.8.8.8:9876", {}))
    await stage.until(["alice"], Standing.VOTED)
    account = account_of("alice")
    assert stage.crowd.accounts == {account: str(private("account alice").public)}
    assert account in stage.crowd.voted
    party = stage.world.store.find("alice")
    assert party is not None
    assert party.found
    linked = [name for name, peers in stage.crowd.peers.items() if "8.8.8.8:9876" in peers]
    assert sorted(linked) == sorted(party.neighbours) == ["defproducera", "genesis"]
    assert "alice" in stage.world.store.attestations()


async def test_a_party_that_joins_causes_no_work_for_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its changes is read and put into the graph alone, with 200 other parties as with none."""
    book, work = stage.world.store, Counter[str]()
    others = [f"p{number:03}" for number in range(200)]
    with book.together():
        for number, name in enumerate(others):
            book.joined(name, account_of(name))
            book.accepted(name, f"key{number}", f"signs{number}", f"9.9.9.{number}:1", "v5", "")
            book.linked(name, ("genesis",))

    async def away() -> bool:
        return all(party.why == "its agent is away" for party in book.parties())

    await poll(away, what="the others to be looked at", deadline=20, every=0.05)
    invitation = stage.world.invited("alice")
    for where, name in ((store, "_party"), (PeerGraph, "put")):
        monkeypatch.setattr(where, name, counted(getattr(where, name), name, work))
    shown = await join(invitation, stage.world.folder / "alice.key")
    stage.sessions.append(dial(stage.world, shown, stage.crowd.party("alice", "8.8.8.8:9876", {})))
    await stage.until(["alice"], Standing.VOTED)
    assert 0 < work["put"] < 20
    assert 0 < work["_party"] < len(others)


def counted(call: Callable[..., Any], name: str, calls: Counter[str]) -> Callable[..., Any]:
    """The function, which counts its calls."""

    def counting(*given: Any) -> Any:
        calls[name] += 1
        return call(*given)

    return counting


async def test_every_agent_is_told_where_producers_are(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's and the party's, both again once the party's endpoint was found; not a rejected party's."""
    monkeypatch.setattr(endpoints, "LOOK_SECONDS", 0.05)
    own = stage.opened.network.p2p(stage.opened.network.node("defproducera"))
    async with beside(endpoints.tell_producers(stage.opened)):
        await stage.come("alice", stage.crowd.party("alice", "8.8.8.8:9876", {}))
        await stage.come("mallory", stage.crowd.party("mallory", "127.0.0.1:9876", {}))
        everybody = {"local": (own, "8.8.8.8:9876"), "alice": (own, "8.8.8.8:9876")}

        async def told() -> bool:
            return stage.crowd.producers == everybody

        await poll(told, what=lambda: str(stage.crowd.producers), deadline=20)


async def test_fifty_come_at_once_and_a_third_is_hostile(stage: Stage) -> None:
    """Every honest one is ready to be voted for; each hostile one is stopped with a reason, and delays nobody."""

    def silent(task: pb.Task) -> None:
        return None

    def forged(nonce: bytes) -> list[pb.FromAgent]:
        message = registration("forged", nonce, "8.9.0.1:1", stage.crowd.sealed.chain_id)
        message.signing_key.proof = proved(
            private("other"), message.account, nonce, chain_id=stage.crowd.sealed.chain_id
        ).proof
        return [pb.FromAgent(registration=message)] * 15

    honest = [f"honest{number:02}" for number in range(34)]
    comings = [
        stage.come(name, stage.crowd.party(name, f"8.8.1.{number + 1}:9876", {})) for number, name in enumerate(honest)
    ]
    hostile: dict[str, FakeWork] = {"forged": FakeParty(say=forged)}
    for number in range(4):
        hostile[f"silent{number}"] = stage.crowd.party(f"silent{number}", f"8.8.2.{number + 1}:1", {"hold": silent})
        hostile[f"liar{number}"] = stage.crowd.party(
            f"liar{number}", f"8.8.3.{number + 1}:1", {"enlist": lambda task: pb.Result(ok=True)}
        )
        refusing = stage.crowd.party(
            f"rude{number}", f"8.8.4.{number + 1}:1", {"follow": lambda task: pb.Result(error="no\x1b[31m\n" * 999)}
        )
        hostile[f"rude{number}"] = refusing
    for number in range(3):
        hostile[f"inner{number}"] = stage.crowd.party(f"inner{number}", f"127.0.0.{number + 1}:1", {})
    comings += [stage.come(name, work) for name, work in hostile.items()]
    await asyncio.gather(*comings)
    await stage.until(honest, *READY, seconds=60)
    assert all(stage.standing(name) not in READY for name in hostile)
    assert stage.standing("inner0") is Standing.REFUSED

    async def said() -> bool:
        return all(stage.why(name) for name in hostile)

    await poll(said, what=lambda: str({name: stage.why(name) for name in hostile}), deadline=30)
    assert all(why.isprintable() and len(why) <= 320 for why in map(stage.why, hostile))

    async def voted() -> bool:
        return len(stage.crowd.voted) == MAX_VOTED_PRODUCERS

    await poll(voted, what="a full vote", deadline=20)
    assert set(stage.crowd.voted) <= {account_of(name) for name in honest} | {"defproducera"}


async def test_anothers_node_by_another_name_is_not_taken(stage: Stage) -> None:
    """An endpoint that leads to another party's node does not count as the newcomer's, whatever name it has."""
    await stage.come("alice", stage.crowd.party("alice", "8.8.1.1:9876", {}))
    stage.crowd.shaking["8.8.1.1:9876"] = stage.crowd.shaking["8.8.1.2:9876"] = private("signing alice")
    await stage.come("mallory", stage.crowd.party("mallory", "8.8.1.2:9876", {}))
    await stage.until(["alice"], *READY)

    async def told() -> bool:
        return "another peer key" in stage.why("mallory")

    await poll(told, what=lambda: stage.why("mallory"), deadline=30)
    assert str(private("signing alice").public) in stage.why("mallory")
    assert stage.standing("mallory") is Standing.FOLLOWING


async def test_one_that_moves_is_dialled_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if a retry at the old endpoint would be due only much later."""
    monkeypatch.setattr(onboarding, "FIRST_PAUSE", 600.0)
    monkeypatch.setattr(onboarding, "LONGEST_PAUSE", 600.0)
    stage.crowd.shaking["8.8.1.2:9876"] = private("signing mallory")
    work = stage.crowd.party("alice", "8.8.1.2:9876", {})
    await stage.come("alice", work)

    async def told() -> bool:
        return "another peer key" in stage.why("alice")

    await poll(told, what=lambda: stage.why("alice"), deadline=30)
    await work.answered(2)
    assert [one.reason for one in work.admissions] == ["", stage.why("alice")]  # it hears of it, once
    stage.crowd.listening.add("8.8.1.3:9876")
    assert work.send
    moved = registration("alice", work.welcomes[0].nonce, "8.8.1.3:9876", stage.crowd.sealed.chain_id)
    work.send(pb.FromAgent(registration=moved))
    await stage.until(["alice"], *READY)


async def test_an_endpoint_where_nobody_answers_is_told_to_nobody(stage: Stage) -> None:
    """The party is told that it is being dialled; only the node that dials it gets the endpoint."""
    work = stage.crowd.party("alice", "8.8.8.8:9876", {})
    await stage.come("alice", work)
    stage.crowd.listening = NoOne()
    await stage.until(["alice"], Standing.FOLLOWING)

    async def dialled() -> bool:
        return any("8.8.8.8:9876" in peers for peers in stage.crowd.peers.values())

    await poll(dialled, what="the dialling", deadline=30)
    assert sum("8.8.8.8:9876" in peers for peers in stage.crowd.peers.values()) == 1
    assert "being dialled back" in stage.why("alice")
    assert stage.crowd.accounts == {}


class NoOne(set[str]):
    """Nobody listens, whatever is added."""

    def add(self, element: str) -> None:
        """Nothing."""


async def test_a_false_attestation_does_not_count(stage: Stage) -> None:
    """One signed with another key, or about another network, is refused; the party keeps its place."""
    crowd = stage.crowd
    other = {"attest": lambda task: pb.Result(ok=True, attestation=crowd.attestation("mallory"))}
    about = {"attest": lambda task: pb.Result(ok=True, attestation=crowd.attestation("bob", manifest="00" * 32))}
    await stage.come("alice", crowd.party("alice", "8.8.8.8:9876", other))
    await stage.come("bob", crowd.party("bob", "8.8.8.9:9876", about))
    await stage.until(["alice", "bob"], Standing.VOTED)

    async def said() -> bool:
        return "not signed with the key" in stage.why("alice") and "another network" in stage.why("bob")

    await poll(said, what="the reasons", deadline=30)
    assert stage.world.store.attestations() == {}


async def test_what_fails_again_and_again_is_told_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is the end of it: the operator reads that the party has left."""
    monkeypatch.setattr(onboarding, "FIRST_PAUSE", 0.1)
    tries: list[pb.Task] = []

    def leaving(task: pb.Task) -> pb.Result:
        tries.append(task)
        return pb.Result(error="refused: alice is leaving")

    work = stage.crowd.party("alice", "8.8.8.8:9876", {"enlist": leaving})
    await stage.come("alice", work)

    async def thrice() -> bool:
        return len(tries) > 2

    await poll(thrice, what="more tries", deadline=30)
    who = f"party alice ({account_of('alice')})"
    own = [line for line in stage.told if line.startswith(f"{who}: account there: ")]
    assert own == [f"{who}: account there: registers as a producer", f"{who}: account there: refused: alice is leaving"]

    assert work.send is not None
    work.send(pb.FromAgent(leave=pb.Leave(reason="alice's operator ended it")))

    async def told() -> bool:
        return stage.told[-1] == f"{who}: left: alice's operator ended it"

    await poll(told, what=lambda: stage.told[-1], deadline=30)


async def test_a_party_that_goes_while_it_attests_is_not_electable(stage: Stage) -> None:
    """An attestation may take many minutes; if its party disconnects meanwhile, that shows at once."""
    asked = asyncio.Event()

    def never(task: pb.Task) -> None:
        asked.set()

    await stage.come("alice", stage.crowd.party("alice", "8.8.8.8:9876", {"attest": never}))
    await asyncio.wait_for(asked.wait(), 20)
    await stage.until(["alice"], *READY)
    stage.sessions.pop().cancel()

    async def away() -> bool:
        return "its agent is away" in stage.why("alice")

    await poll(away, what=lambda: stage.why("alice"), deadline=30)


async def test_a_coordinator_that_comes_back_goes_on(stage: Stage) -> None:
    """The next coordinator finds everything done, and only tells nodes their peers again."""
    work = stage.crowd.party("alice", "8.8.8.8:9876", {})
    await stage.come("alice", work)
    await stage.until(["alice"], Standing.VOTED)
    before = len(work.tasks)
    second = asyncio.create_task(Onboarding(stage.opened, stage.told.append).run())

    async def followed() -> bool:
        return len(work.tasks) > before

    await poll(followed, what="the peers", deadline=30)
    await stage.until(["alice"], Standing.VOTED)
    second.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await second
    assert {task.WhichOneof("body") for task in work.tasks[before:]} <= {"follow", "hold"}
