"""What parties bring: judged by the coordinator over a real stream, each refusal with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from antelope.keys import PrivateKey
from coordinator.parties.reception import TIMES
from coordinator.parties.store import Standing
from inventory.reach import Reach
from protos import coordination_pb2 as pb
from support.retry import poll
from support.tls import Kind
from tests.unit.coordinator.fakes import credentials
from tests.unit.coordinator.parties.conftest import (
    CHAIN,
    FakeParty,
    World,
    account_of,
    admission,
    dial,
    join,
    party,
    private,
    proved,
    registration,
    with_rules,
)

DEVELOPMENT_WIF = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
"""Published by nodeos as its development key: worth nothing."""


async def _joined(world: World, name: str, endpoint: str = "8.8.8.8:9876") -> tuple[FakeParty, asyncio.Task[None]]:
    work = party(name, endpoint)
    session = dial(world, await join(world.invited(name), world.folder / f"{name}.key"), work)
    await work.answered()
    return work, session


async def test_an_honest_party_is_taken_up(world: World) -> None:
    """It hears so with the manifest, and the book has what it brought."""
    work, session = await _joined(world, "alice")
    assert work.admissions[0].accepted
    assert work.admissions[0].manifest == "ab" * 32
    known = world.store.find("alice")
    assert known is not None
    assert (known.state, known.endpoint, known.found) == (Standing.REGISTERED, "8.8.8.8:9876", False)
    assert known.signing_key == str(private("signing alice").public)
    session.cancel()


def _change(**values: object) -> Callable[[pb.Registration, bytes], None]:
    def change(said: pb.Registration, nonce: bytes) -> None:
        for name, value in values.items():
            setattr(said, name, value)

    return change


def _key(
    field: str,
    name: str,
    *,
    network: str = "net",
    chain_id: str = CHAIN,
    other_nonce: bytes = b"",
    unproved: bool = False,
) -> object:
    def change(said: pb.Registration, nonce: bytes) -> None:
        key = proved(private(name), said.account, other_nonce or nonce, network, chain_id)
        if unproved:
            key.proof = proved(private("another"), said.account, nonce).proof
        getattr(said, field).CopyFrom(key)

    return change


def _of_another(said: pb.Registration, nonce: bytes) -> None:
    """Sound in itself, for an account that the party was not invited for."""
    said.CopyFrom(registration("bob", nonce))


def _public(field: str) -> Callable[[pb.Registration, bytes], None]:
    def change(said: pb.Registration, nonce: bytes) -> None:
        getattr(said, field).CopyFrom(proved(PrivateKey.parse(DEVELOPMENT_WIF), said.account, nonce))

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_of_another, "was invited for account alice1111111, not bob111111111"),
        (_public("account_key"), "everybody has its private key"),
        (_public("signing_key"), "everybody has its private key"),
        (_change(account="bob111111111"), "for an account other"),
        (_change(account="Alice"), "account"),
        (_change(account="alice\n111111"), "account"),
        (_change(p2p_endpoint="127.0.0.1:9876"), "is loopback"),
        (_change(p2p_endpoint="10.0.0.1:9876"), "is private"),
        (_change(p2p_endpoint="169.254.169.254:80"), "cannot be dialled"),
        (_change(p2p_endpoint="0.0.0.0:9876"), "not an address that can be dialled"),
        (_change(p2p_endpoint="inner.example:9876"), "is private"),
        (_change(p2p_endpoint="mixed.example:9876"), "is loopback"),
        (_change(p2p_endpoint="nowhere.example:9876"), "does not resolve"),
        (_change(p2p_endpoint="127.1:9876"), "neither an IP address nor a DNS name"),
        (_change(p2p_endpoint="[::1]:9876"), "IPv6"),
        (_change(p2p_endpoint="8.8.8.8:0"), "not a port"),
        (_change(p2p_endpoint="8.8.8.8"), "not HOST:PORT"),
        (_change(p2p_endpoint="8.8.8.8:9876\np2p-peer-address = evil:1"), "not HOST:PORT"),
        (_change(p2p_endpoint="8.8.4.4:9876"), "node genesis"),
        (_change(nodeos_version="v5\nplugin = x"), "nodeos_version"),
        (_change(nodeos_version="x" * 200), "nodeos_version"),
        (_change(pinned_manifest="cd" * 32), "ask the operator"),
        (_change(pinned_manifest="../etc"), "64 hex"),
        (_key("signing_key", "x", unproved=True), "block-signing key has no valid proof"),
        (_key("account_key", "x", other_nonce=b"n" * 32), "account key has no valid proof"),
        (_key("signing_key", "x", network="other"), "has no valid proof"),
        (_key("signing_key", "x", chain_id="d5" * 32), "has no valid proof"),
        (_key("account_key", "x", chain_id=""), "has no valid proof"),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_up(
    world: World, change: Callable[[pb.Registration, bytes], None], said: str
) -> None:
    """The party hears the reason, and nothing of it is taken over."""
    world.setting.addresses |= {
        "inner.example": ("10.0.0.9",),
        "mixed.example": ("8.8.8.8", "127.0.0.1"),
        "nowhere.example": (),
    }

    def say(nonce: bytes) -> list[pb.FromAgent]:
        message = registration("alice", nonce)
        change(message, nonce)
        return [pb.FromAgent(registration=message)]

    answer = await admission(world, "alice", say)
    assert not answer.accepted
    assert said in answer.reason
    assert "\n" not in answer.reason
    known = world.store.find("alice")
    assert known is not None
    assert (known.accepted, known.state, known.endpoint) == (False, Standing.REFUSED, None)


async def test_nobody_takes_what_is_anothers(world: World) -> None:
    """Key, endpoint (in any spelling) and account of a party are its own, also while it is away."""
    world.setting.addresses |= {
        "node.example": ("8.8.8.8",),
        "other.example": ("8.8.4.4",),
        "third.example": ("8.8.7.7",),
    }
    for name, endpoint in (("alice", "node.example:9876"), ("carol", "8.8.7.7:9876")):
        _, session = await _joined(world, name, endpoint)
        session.cancel()

    def squat(name: str, change: Callable[[pb.Registration, bytes], None]) -> Callable[[bytes], list[pb.FromAgent]]:
        def say(nonce: bytes) -> list[pb.FromAgent]:
            message = registration(name, nonce, "8.8.8.9:9876")
            change(message, nonce)
            return [pb.FromAgent(registration=message)]

        return say

    cases = {
        "m1": (_change(p2p_endpoint="Node.Example.:9876"), "endpoint node.example:9876 belongs to party alice"),
        "m2": (_key("signing_key", "signing alice"), "belongs to party alice"),
        "m3": (_key("account_key", "signing alice"), "belongs to party alice"),
        "m4": (_change(p2p_endpoint="other.example:9876"), "endpoint other.example:9876 belongs to node genesis"),
        "m5": (_change(p2p_endpoint="third.example:9876"), "endpoint third.example:9876 belongs to party carol"),
    }
    for name, (change, said) in cases.items():
        answer = await admission(world, name, squat(name, change))  # type: ignore[arg-type]
        assert not answer.accepted
        assert said in answer.reason


async def test_accounts_of_the_network_are_not_given_away(world: World) -> None:
    """Neither a producer's nor a user's, unless the user's key comes with it; nor a key of the operator's signers."""
    with_rules(world, keys={str(private("signing key2").public): "defproducera"})

    def say(name: str, account: str) -> Callable[[bytes], list[pb.FromAgent]]:
        def inner(nonce: bytes) -> list[pb.FromAgent]:
            message = registration(name, nonce)
            message.account = account
            message.account_key.CopyFrom(proved(private(f"account {name}"), account, nonce))
            message.signing_key.CopyFrom(proved(private(f"signing {name}"), account, nonce))
            return [pb.FromAgent(registration=message)]

        return inner

    async def answered(name: str, account: str) -> pb.Admission:
        work = FakeParty(say=say(name, account))
        session = dial(world, await join(world.invited(name, account), world.folder / f"{name}.key"), work)
        answer = await work.answered()
        session.cancel()
        return answer

    assert "one of the operator's producers" in (await answered("p1", "defproducera")).reason
    assert "another key" in (await answered("u1", "useraaaaaaaa")).reason
    assert "defproducera" in (await answered("key2", account_of("key2"))).reason
    with_rules(world, owned=lambda account: str(private("account u2").public))
    assert (await answered("u2", "useraaaaaaab")).accepted


async def test_another_endpoint_is_dialled_anew(world: World) -> None:
    """A party that comes back with another address keeps its place; keys of its account cannot change."""
    work, session = await _joined(world, "alice")
    world.store.dialled("alice", "8.8.8.8:9876")
    assert work.send
    nonce = work.welcomes[0].nonce
    work.send(pb.FromAgent(registration=registration("alice", nonce, "8.8.8.10:1000")))
    assert (await work.answered(2)).accepted
    known = world.store.find("alice")
    assert known is not None
    assert (known.endpoint, known.found) == ("8.8.8.10:1000", False)
    changed = registration("alice", nonce)
    changed.account_key.CopyFrom(proved(private("new"), changed.account, nonce))
    work.send(pb.FromAgent(registration=changed))
    assert "cannot change" in (await work.answered(3)).reason
    session.cancel()


async def test_a_replayed_registration_is_refused(world: World) -> None:
    """Proofs are bound to the stream: what was said on another one proves nothing."""
    work, session = await _joined(world, "alice")
    overheard = registration("alice", work.welcomes[0].nonce)
    session.cancel()
    again = FakeParty(say=lambda nonce: [pb.FromAgent(registration=overheard)])
    shown = await join(world.invited("bob"), world.folder / "bob.key")
    second = dial(world, shown, again)
    answer = await again.answered()
    assert "has no valid proof" in answer.reason
    second.cancel()


async def test_the_network_says_how_near(world: World) -> None:
    """A network on this machine takes loopback endpoints."""
    with_rules(world, reach=Reach.LOOPBACK)
    work, session = await _joined(world, "alice", "127.0.0.1:9900")
    assert work.admissions[0].accepted
    session.cancel()


async def test_the_seal_is_told(world: World) -> None:
    """Parties that came before the seal prove their keys for the chain when there is one, and hear its manifest; one
    that pinned another is refused, and so is one that proves them for no chain once more.
    """
    chains = [""]

    def says(name: str, endpoint: str, **changes: str) -> FakeParty:
        def say(nonce: bytes) -> list[pb.FromAgent]:
            message = registration(name, nonce, endpoint, changes.get("chain_id", chains[-1]))
            message.pinned_manifest = changes.get("pinned", "")
            return [pb.FromAgent(registration=message)]

        return FakeParty(say=say)

    parties = {
        "alice": says("alice", "8.8.8.8:9876"),
        "bob": says("bob", "8.8.8.9:9876", pinned="cd" * 32),
        "carol": says("carol", "8.8.8.7:9876", chain_id=""),
    }
    with_rules(world, manifest="", chain_id="")
    sessions = []
    for name, work in parties.items():
        sessions.append(dial(world, await join(world.invited(name), world.folder / f"{name}.key"), work))
        first = await work.answered()
        assert (first.accepted, first.manifest) == (True, "")
    chains.append(CHAIN)
    with_rules(world, manifest="ef" * 32, chain_id=CHAIN)
    world.hub.tell_seal()
    told = {name: await work.answered(2) for name, work in parties.items()}
    assert [work.welcomes[-1].chain_id for work in parties.values()] == [CHAIN] * 3
    assert (told["alice"].accepted, told["alice"].manifest) == (True, "ef" * 32)
    assert "pinned" in told["bob"].reason
    assert "has no valid proof" in told["carol"].reason
    for session in sessions:
        session.cancel()


async def test_who_says_too_much_is_cut_off(world: World) -> None:
    """A flood of registrations ends its own stream, while another party is accepted."""
    flood = FakeParty(
        say=lambda nonce: [pb.FromAgent(registration=registration("m", nonce, "8.8.8.99:1"))] * (TIMES + 1)
    )
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), flood)
    work, calm = await _joined(world, "alice")
    assert work.admissions[0].accepted
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "registrations in" in str(ended[0])
    calm.cancel()


async def test_a_flood_of_reports_stays_in_its_own_pipe(world: World) -> None:
    """Thousands of statuses are read at the coordinator's pace; meanwhile another party is accepted immediately."""
    flood = FakeParty(say=lambda nonce: [pb.FromAgent(status=pb.Status(clock=number)) for number in range(5000)])
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), flood)
    link = await world.hub.agent("m", 30)
    async with asyncio.timeout(2):
        work, calm = await _joined(world, "alice")
    assert work.admissions[0].accepted
    assert link.status is not None
    assert link.status.clock < 1000
    session.cancel()
    calm.cancel()


async def test_an_oversized_message_of_a_party_ends_its_stream(world: World) -> None:
    """Hosts may answer with more."""
    big = pb.FromAgent(status=pb.Status(nodes=[pb.NodeStatus(name="n", detail="x" * (1 << 20))]))
    work = FakeParty(say=lambda nonce: [big])
    session = dial(world, await join(world.invited("m"), world.folder / "m.key"), work)
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "may be at most" in str(ended[0])


async def test_a_host_is_no_party(world: World) -> None:
    """A host's agent that registers, and a party's that says Leave first, change nothing of the others."""
    shown = credentials(world.hub, world.folder, "host1", Kind.HOST)
    session = dial(world, shown, party("host1"))
    ended = await asyncio.gather(session, return_exceptions=True)
    assert "only a party" in str(ended[0])
    assert world.store.parties() == ()


async def test_a_party_that_leaves_is_noted(world: World) -> None:
    """With its operator's words, without their control characters; it may come back."""
    work, session = await _joined(world, "alice")
    assert work.send
    work.send(pb.FromAgent(leave=pb.Leave(reason="moving\x1b[2J house")))

    async def gone() -> bool:
        return standing(world) is Standing.LEFT

    await poll(gone, what="the note", deadline=30, every=0.01)
    known = world.store.find("alice")
    assert known is not None
    assert known.why == "moving [2J house"
    work.send(pb.FromAgent(registration=registration("alice", work.welcomes[0].nonce)))
    assert (await work.answered(2)).accepted
    assert standing(world) is Standing.REGISTERED
    session.cancel()


async def test_who_left_is_not_taken_up_by_an_earlier_word(world: World) -> None:
    """A registration whose endpoint's name was still being looked up when its party left is void."""
    answered, lookup = asyncio.Event(), world.reception._lookups._resolve

    async def slow(host: str) -> tuple[str, ...]:
        await answered.wait()
        return await lookup(host)

    work, session = await _joined(world, "alice")
    assert work.send
    world.reception._lookups._resolve = slow
    work.send(pb.FromAgent(registration=registration("alice", work.welcomes[0].nonce, "8.8.8.9:9876")))
    work.send(pb.FromAgent(leave=pb.Leave(reason="bye")))

    async def gone() -> bool:
        return standing(world) is Standing.LEFT

    await poll(gone, what="the note", deadline=30, every=0.01)
    (judging,) = world.reception._judging
    answered.set()
    await judging
    assert standing(world) is Standing.LEFT
    session.cancel()


def standing(world: World) -> Standing | None:
    """Alice's."""
    known = world.store.find("alice")
    return known.state if known else None


async def test_a_partys_epoch_moves_nobody_else(world: World) -> None:
    """Which has met a rogue with a higher one is led on from there, alone; a number that is no epoch raises nothing."""
    before = world.hub.epoch
    shown = await join(world.invited("alice"), world.folder / "a.key")
    for claimed, told in ((99, 100), (100, 101), (2**64 - 1, 101)):
        work = party("alice")
        work.epoch, work.instance = claimed, "a rogue"
        session = dial(world, shown, work)
        assert (await work.answered()).accepted
        assert work.welcomes[-1].epoch == world.hub.links["alice"].epoch == told
        assert world.hub.epoch == before
        session.cancel()
