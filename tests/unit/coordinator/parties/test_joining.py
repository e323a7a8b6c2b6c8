"""Redeeming invitations: once, with one key, in time, and only for joining."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from agent.errors import Refused, SessionEnded
from agent.session import OPTIONS, Credentials
from coordinator.errors import UsageProblem
from coordinator.parties.invitations import check_name, invite
from coordinator.parties.joining import TRIES
from coordinator.parties.store import Standing
from coordinator.workflows.opening.session import check_names
from inventory.names import user_name
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.identity import Identity, Kind
from support.invitation import Invitation
from support.journal import Journal
from support.retry import poll
from support.tls import LIFETIME, identity_of, load_certificate
from tests.unit.coordinator.fakes import FakeWork, credentials
from tests.unit.coordinator.parties.conftest import FakeParty, World, dial, join, party
from tests.unit.coordinator.parties.crowd import make_network


async def _refused(joining: object) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await joining  # type: ignore[misc]
    return refused.value


def _holder(invitation: Invitation) -> Credentials:
    return Credentials(invitation.key, invitation.certificate, invitation.ca)


async def test_a_party_comes_in_by_its_token(world: World) -> None:
    """Its own key gets a certificate for the invited name, with which it opens a session."""
    invitation = world.invited("alice")
    shown = await join(invitation, world.folder / "alice.key")
    assert (
        identity_of(load_certificate(shown.certificate)) == Identity("net", Kind.PARTY, "alice") == invitation.identity
    )
    session = dial(world, shown, FakeParty())
    link = await world.hub.agent("alice", 30)
    assert link.connected
    party = world.store.find("alice")
    assert party is not None
    assert (party.account, party.state, party.accepted) == ("alice1111111", Standing.JOINED, False)
    session.cancel()


async def test_fifty_redeem_one_token_and_one_wins(world: World) -> None:
    """If many try at once, each with its own key, one gets a certificate, and all others the reason."""
    invitation = world.invited("alice")
    keys = [world.folder / f"thief{number}.key" for number in range(50)]
    results = await asyncio.gather(*(join(invitation, key) for key in keys), return_exceptions=True)
    won = [result for result in results if isinstance(result, Credentials)]
    lost = [result for result in results if isinstance(result, grpc.aio.AioRpcError)]
    assert (len(won), len(lost)) == (1, 49)
    assert {error.code() for error in lost} <= {
        grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED
    }  # fmt: skip
    assert any("used already" in str(error.details()) for error in lost)
    session = dial(world, won[0], FakeParty())
    assert await world.hub.agent("alice", 30)
    session.cancel()


async def test_a_lost_answer_is_given_again_to_the_same_key(world: World) -> None:
    """The key that redeemed the token may ask again, and the later certificate counts; another key may not."""
    invitation = world.invited("alice")
    first = await join(invitation, world.folder / "alice.key")
    second = await join(invitation, world.folder / "alice.key")
    assert first.key == second.key
    error = await _refused(join(invitation, world.folder / "thief.key"))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    session = dial(world, second, FakeParty())
    assert await world.hub.agent("alice", 30)
    session.cancel()


async def test_expired_replaced_and_revoked_tokens_are_refused(world: World) -> None:
    """Each with its reason, although TLS itself would accept the certificate."""
    older = world.invited("alice")
    world.invited("alice")
    assert "replaced" in str((await _refused(join(older, world.folder / "a.key"))).details())
    expired = world.invited("bob", hours=1)
    world.hub.records.journal.write("UPDATE invite SET expires = 1 WHERE name = 'bob'")
    assert "expired" in str((await _refused(join(expired, world.folder / "b.key"))).details())
    gone = world.invited("carol")
    world.hub.records.journal.write("DELETE FROM invite WHERE name = 'carol'")
    assert "unknown" in str((await _refused(join(gone, world.folder / "c.key"))).details())


async def test_an_invitation_opens_nothing_else(world: World) -> None:
    """Neither a session nor an artifact; and an agent's own certificate cannot join."""
    invitation = world.invited("alice")
    ended = await asyncio.gather(dial(world, _holder(invitation), FakeWork()), return_exceptions=True)
    assert isinstance(ended[0], Refused)
    assert "only be used to join" in str(ended[0])
    name = world.hub.artifacts.put(b"sealed")
    trust = grpc.ssl_channel_credentials(invitation.ca, invitation.key, invitation.certificate)
    async with grpc.aio.secure_channel(invitation.coordinators[0], trust, options=OPTIONS) as channel:
        call = rpc.CoordinationStub(channel).Fetch(pb.FetchRequest(sha256=name), timeout=5)
        assert (await _refused(call.read())).code() is grpc.StatusCode.PERMISSION_DENIED
    host = credentials(world.hub, world.folder, "host1")
    trust = grpc.ssl_channel_credentials(host.ca, host.key, host.certificate)
    async with grpc.aio.secure_channel(invitation.coordinators[0], trust, options=OPTIONS) as channel:
        error = await _refused(rpc.CoordinationStub(channel).Join(pb.JoinRequest(csr=b""), timeout=5))
    assert "joined already" in str(error.details())


async def test_a_bad_request_does_not_use_the_token_up(world: World) -> None:
    """Nonsense and oversized requests are refused, and a proper one still succeeds."""
    invitation = world.invited("alice")
    for wrong in (b"", b"nonsense", bytes(9000)):
        error = await _refused(join(invitation, world.folder / "a.key", csr=wrong))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert await join(invitation, world.folder / "a.key")


async def test_who_tries_too_often_hinders_only_himself(world: World) -> None:
    """A flood with one invitation is refused, while another party joins."""
    flooding, other = world.invited("mallory"), world.invited("bob")
    flood = [join(flooding, world.folder / "m.key", csr=b"x") for _ in range(TRIES * 3)]
    results, calm = await asyncio.gather(
        asyncio.gather(*flood, return_exceptions=True), join(other, world.folder / "b.key")
    )
    assert calm
    turned = [one for one in results if isinstance(one, grpc.aio.AioRpcError)]
    assert sum(one.code() is grpc.StatusCode.RESOURCE_EXHAUSTED for one in turned) >= TRIES


async def test_a_revoked_party_stays_out(world: World) -> None:
    """Its open stream ends within seconds, its token gives no new certificate, and its name cannot be invited again."""
    invitation = world.invited("alice")
    session = dial(world, await join(invitation, world.folder / "a.key"), FakeParty())
    await world.hub.agent("alice", 30)
    world.hub.register.revoke("alice")
    async with asyncio.timeout(30):
        with pytest.raises(SessionEnded):
            await session
    assert "revoked" in str((await _refused(join(invitation, world.folder / "a.key"))).details())
    with pytest.raises(UsageProblem, match="revoked"):
        world.invited("alice")


def _try(world: World, name: str, account: str) -> str:
    return invite(world.hub.records.journal, world.hub.authority, name, account, ("localhost:1",), timedelta(hours=1))


async def test_names_and_accounts_are_promised_once(world: World) -> None:
    """Refused: a host's name, an enrolled party's, another party's account, and invalid names."""
    credentials(world.hub, world.folder, "host1")
    await join(world.invited("alice"), world.folder / "a.key")
    world.invited("bob", "bobaccount11")
    for name, account, said in (
        ("host1", "x", "enrolled already, as a host"),
        ("alice", "x", "enrolled already, as a party"),
        ("carol", "alice1111111", "belongs to party alice"),
        ("carol", "bobaccount11", "promised to bob"),
        ("carol\n", "x", "name"),
        ("../carol", "x", "name"),
        ("", "x", "name"),
        ("carol", "Carol", "account"),
        ("carol", "eosio.carol", "system"),
    ):
        with pytest.raises(UsageProblem, match=said):
            _try(world, name, account)


def test_what_the_inventory_has_is_promised_to_nobody(tmp_path: Path) -> None:
    """Names of hosts and nodes; accounts of producers, the sponsor and users, whose keys the operator has."""
    network = make_network(tmp_path)
    check_name(network, "carol", user_name(10))
    for name, account, said in (
        ("local", "carol1111111", "name of a host or node"),
        ("genesis", "carol1111111", "name of a host or node"),
        ("carol", "defproducera", "is in "),
        ("carol", "sponsor", "is in "),
        ("carol", user_name(9), "is in "),
        ("carol", "carol", "12 characters"),
        ("carol", "carol.111111", "12 characters"),
    ):
        with pytest.raises(UsageProblem, match=said):
            check_name(network, name, account)


async def test_a_party_whose_certificate_ended_is_invited_again(world: World) -> None:
    """Under its name, with its key and account; not before the certificate ended, and never after a revocation."""
    first = await join(world.invited("alice"), world.folder / "a.key")
    year = LIFETIME.total_seconds()
    for age, said in ((year - 86_400, "enrolled already"), (year + 60, "account is alice1111111")):
        world.hub.records.journal.write("UPDATE enrolled SET enrolled_at = ?", time.time() - age)
        with pytest.raises(UsageProblem, match=said):
            _try(world, "alice", "x" * 12)
    again = await join(world.invited("alice"), world.folder / "a.key")
    assert again.certificate != first.certificate
    session = dial(world, again, FakeParty())
    assert await world.hub.agent("alice", 30)
    session.cancel()
    world.hub.revoke("alice")
    world.hub.records.journal.write("UPDATE enrolled SET enrolled_at = 1")
    with pytest.raises(UsageProblem, match="revoked"):
        world.invited("alice")


async def test_a_party_that_left_is_invited_again(world: World) -> None:
    """Under its name; not while it is a member, and never after a revocation."""
    await join(world.invited("alice"), world.folder / "a.key")
    world.store.stands("alice", Standing.LEFT, "its operator ended it")
    session = dial(world, await join(world.invited("alice"), world.folder / "a.key"), party("alice"))
    assert await world.hub.agent("alice", 30)

    async def back() -> bool:
        found = world.store.find("alice")
        return found is not None and found.state is Standing.REGISTERED

    await poll(back, what="alice to be accepted again", deadline=30, every=0.02)
    with pytest.raises(UsageProblem, match="enrolled already"):
        world.invited("alice")
    session.cancel()
    world.store.stands("alice", Standing.LEFT, "its operator ended it")
    world.hub.register.revoke("alice")
    with pytest.raises(UsageProblem, match="revoked"):
        world.invited("alice")


async def test_the_token_itself_is_not_kept(world: World) -> None:
    """Neither its text nor its private key is in the coordinator's state."""
    token = _try(world, "alice", "alice1111111")
    held = b"".join(path.read_bytes() for path in (world.folder / "state").rglob("*") if path.is_file())
    assert token.encode() not in held
    assert token.rpartition(".")[2][:64].encode() not in held


async def test_a_host_that_is_named_like_a_party_is_a_mistake(world: World) -> None:
    """A host added to the inventory later would get the party's agent."""
    network = make_network(world.folder)
    check_names(network, world.hub.register)
    await join(world.invited("honest"), world.folder / "h.key")
    check_names(network, world.hub.register)
    for name in (network.hosts[0].name, network.nodes[-1].name):
        world.hub.register.enrol(Identity("net", Kind.PARTY, name), "f")
        with pytest.raises(UsageProblem, match=f"{name} is the name of a party"):
            check_names(network, world.hub.register)
        world.hub.records.journal.write("DELETE FROM enrolled WHERE name = ?", name)


async def test_two_commands_at_once_do_not_promise_an_account_twice(world: World, tmp_path: Path) -> None:
    """The later one sees what the earlier one wrote, because check and insert are one transaction."""
    barrier = threading.Barrier(2)

    def ask(name: str) -> str:
        journal = Journal(world.hub.records.journal.path)
        try:
            barrier.wait(5)
            return invite(journal, world.hub.authority, name, "same11111111", ("localhost:1",), timedelta(hours=1))
        except UsageProblem as problem:
            return f"refused: {problem}"
        finally:
            journal.close()

    for _ in range(5):
        answers = await asyncio.gather(asyncio.to_thread(ask, "first"), asyncio.to_thread(ask, "second"))
        refused = [answer for answer in answers if answer.startswith("refused: account same11111111 is promised to")]
        assert len(refused) == 1, answers
        world.hub.records.journal.write("DELETE FROM invite")
