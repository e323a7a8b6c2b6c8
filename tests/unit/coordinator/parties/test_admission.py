"""What parties bring: judged by the coordinator over a real stream, each refusal with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from antelope.keys import PrivateKey
from coordinator.parties.store import Standing
from inventory.reach import Reach
from protos import coordination_pb2 as pb
from tests.unit.coordinator.parties.conftest import (
    CHAIN,
    FakeParty,
    World,
    account_of,
    admission,
    dial,
    join,
    joined,
    private,
    proved,
    registration,
    with_rules,
)

DEVELOPMENT_WIF = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
"""Published by nodeos as its development key: worth nothing."""


async def test_an_honest_party_is_taken_up(world: World) -> None:
    """It hears so with the manifest, and the book has what it brought."""
    work, session = await joined(world, "alice")
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
        _, session = await joined(world, name, endpoint)
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
    work, session = await joined(world, "alice")
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
    work, session = await joined(world, "alice")
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
    work, session = await joined(world, "alice", "127.0.0.1:9900")
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
