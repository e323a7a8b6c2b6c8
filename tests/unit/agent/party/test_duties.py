"""A coordinator that asks a party's agent for more than it may gets nothing, and is told why."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.duties import holding
from agent.party.settings import PartySettings
from agent.proposals import Proposal, find
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords, Record
from agent.reports import Pushed
from antelope import actions
from antelope.answers import Account
from antelope.asset import Asset
from antelope.keys import PrivateKey
from antelope.transaction import SignedTransaction, Transaction
from boot import canary
from boot.blueprint import Blueprint
from boot.step import NodeMode, Push
from inventory.seal import SealedBundle
from protos import coordination_pb2 as pb
from tests.secrets import private_keys
from tests.unit.agent.party.conftest import ALICE, Home, home, sealed_network

OTHER = PrivateKey(bytes(31) + b"\x05").public


@pytest.mark.parametrize(
    "body",
    [
        {"run_step": pb.RunStep(step="resign", keys=["resign"], node=ALICE)},
        {"run_step": pb.RunStep(step="votes", keys=["crossing"], node=ALICE)},
        {"run_step": pb.RunStep(step="accounts", keys=["0000"], node=ALICE)},
        {"run_step": pb.RunStep(step="no-such-step", keys=[ALICE], node=ALICE)},
        {"run_step": pb.RunStep(step="claim", keys=["defproducera"], node=ALICE)},
        {"run_step": pb.RunStep(step="claim", keys=[ALICE, "defproducera"], node=ALICE)},
        {"run_step": pb.RunStep(step="claim", keys=[ALICE], node="genesis")},
        {"sponsor": pb.Sponsor(account="mallory11111", public_key=str(OTHER))},
        {"elect": pb.Elect(producers=["mallory11111"])},
        {"propose": pb.Propose(proposal="x", account="eosio")},
        {"execute": pb.Execute(proposal="x")},
        {"collect": pb.Collect(accounts=[ALICE], import_file="/etc/passwd", nodeos="/bin/sh", network="net")},
        {"start_node": pb.StartNode(spec=pb.NodeSpec(name=ALICE, nodeos="/bin/sh"), mode=pb.MODE_STARTER)},
        {"set_peers": pb.SetPeers(name="genesis", peers=["h:1"])},
        {"follow": pb.Follow(peers=["h:1\nplugin = eosio::x"])},
        {"follow": pb.Follow(peers=["h:0"])},
        {"follow": pb.Follow(peers=[f"h:{port}" for port in range(1, 200)])},
        {"hold": pb.Hold(sha256="f" * 64)},
        {},
    ],
    ids=lambda body: next(iter(body), "nothing"),
)
async def test_what_is_not_due_is_refused(alice: Home, body: dict[str, Any]) -> None:
    """Nothing is started, fetched or signed; the result has the reason, and is not retryable."""
    await alice.hold()
    del alice.fetched[:]
    result = await alice.do(**body)
    assert not result.ok
    assert not result.retryable
    assert result.error
    assert alice.nodes.started == []
    assert alice.fetched == []


async def test_another_manifest_than_the_pinned_one(tmp_path: Path, bundle: SealedBundle) -> None:
    """A network other than the pinned one is not even fetched; the pinned one is accepted."""
    settings = PartySettings(ALICE, "h:9876", manifest="a" * 64)
    party = home(tmp_path / "a", settings, bundle)
    result = await party.do(hold=pb.Hold(sha256=bundle.sealed.manifest))
    assert "pinned" in result.error
    assert party.fetched == []
    pinned = home(tmp_path / "b", PartySettings(ALICE, "h:9876", manifest=bundle.sealed.manifest), bundle)
    await pinned.hold()


async def test_what_was_taken_stays(tmp_path: Path, alice: Home) -> None:
    """After the first sealed network no other one is accepted from anybody."""
    await alice.hold()
    (tmp_path / "other").mkdir()
    other = sealed_network(tmp_path / "other", '[network]\nname = "net"\n[users]\ncount = 3\n')
    result = await alice.do(hold=pb.Hold(sha256=other.sealed.manifest))
    assert "takes no other" in result.error
    assert alice.duties.manifest == alice.bundle.sealed.manifest


async def test_what_was_taken_meanwhile_stays(tmp_path: Path, alice: Home) -> None:
    """A sealed network whose files are held back until another one was accepted does not replace that one."""
    (tmp_path / "other").mkdir()
    other = sealed_network(tmp_path / "other", '[network]\nname = "net"\n[users]\ncount = 3\n')
    files = {other.sealed.manifest: other.sealed.canonical(), **other.artifacts}
    fetch, late = alice.duties.holding._fetch, asyncio.Event()

    async def slow(sha256: str) -> bytes:
        if sha256 == other.sealed.manifest:
            await late.wait()
        return files[sha256] if sha256 in files else await fetch(sha256)

    alice.duties.holding._fetch = slow
    held_back = asyncio.create_task(alice.do(hold=pb.Hold(sha256=other.sealed.manifest)))
    await asyncio.sleep(0)
    await alice.hold()
    late.set()
    assert "takes no other" in (await held_back).error
    assert alice.duties.manifest == alice.bundle.sealed.manifest


async def test_false_bytes_and_too_many_are_not_kept(alice: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coordinator that sends wrong files, or more than there is room for, does not fill the disk."""
    manifest, artifacts = alice.bundle.sealed.manifest, alice.duties.holding._artifacts
    fetch = alice.duties.holding._fetch

    async def false(sha256: str) -> bytes:
        return bytes(1000)

    alice.duties.holding._fetch = false
    result = await alice.do(hold=pb.Hold(sha256=manifest))
    assert "other bytes" in result.error
    assert artifacts.size() == 0
    alice.duties.holding._fetch = fetch
    monkeypatch.setattr(holding, "STORE_LIMIT", 3000)
    assert "at most" in (await alice.do(hold=pb.Hold(sha256=manifest))).error
    assert artifacts.size() <= 3000
    assert alice.duties.manifest == ""


async def test_the_seal_is_shown_in_words(alice: Home, caplog: pytest.LogCaptureFixture) -> None:
    """The operator is told once: supply, chain id, manifest, elected producers, and unknown contracts."""
    with caplog.at_level("INFO"):
        await alice.hold()
        await alice.hold()
    said = "\n".join(caplog.messages)
    sealed = alice.bundle.sealed
    for part in (sealed.chain_id, sealed.manifest, "1000000000.0000 SYS issued", "defproducera", "NOT one that this"):
        assert part in said
    assert said.count(sealed.chain_id) == 1


async def test_the_node_is_the_agents_own(alice: Home) -> None:
    """The node's configuration is written here; a coordinator only adds peers, never the node itself."""
    assert not (await alice.do(follow=pb.Follow(peers=["h:1"]))).ok  # nothing is sealed yet
    await alice.hold()
    result = await alice.do(follow=pb.Follow(peers=["8.8.0.1:9876", "p2p.alice.example:9876", "8.8.0.1:9876"]))
    assert result.ok, result.error
    ((spec, mode, chain_id),) = alice.nodes.started
    assert (spec.account, spec.peers, spec.nodeos) == (ALICE, ("8.8.0.1:9876",), "bundled")
    assert (spec.p2p_bind, spec.p2p_endpoint) == ("0.0.0.0:9876", "p2p.alice.example:9876")
    assert (mode, chain_id) == (NodeMode.NORMAL, alice.bundle.sealed.chain_id)
    await alice.do(follow=pb.Follow(peers=["8.8.0.2:9876"]))
    assert alice.nodes.started[1][0].http_port == spec.http_port


async def test_changed_settings_take_effect_at_the_next_start(alice: Home) -> None:
    """The endpoint changes; peers and HTTP port stay, without any word from a coordinator."""
    await alice.duties.node.resume()
    await alice.hold()
    await alice.duties.node.resume()
    assert alice.nodes.started == []  # it never ran
    await alice.do(follow=pb.Follow(peers=["8.8.0.1:1"]))
    alice.duties.node.settings = replace(alice.duties.settings, p2p="moved.alice.example:9999")
    await alice.duties.node.resume()
    before, after = (spec for spec, _, _ in alice.nodes.started)
    assert (after.p2p_endpoint, after.p2p_bind) == ("moved.alice.example:9999", "0.0.0.0:9999")
    assert (after.peers, after.http_port) == (before.peers, before.http_port)


def _account(key: str) -> Account:
    authority = {"threshold": 1, "keys": [{"key": key, "weight": 1}], "accounts": [], "waits": []}
    permissions = [{"perm_name": name, "parent": "", "required_auth": authority} for name in ("active", "owner")]
    numbers = dict.fromkeys(("ram_quota", "ram_usage", "net_weight", "cpu_weight"), 0)
    return Account.from_json({"account_name": ALICE, "privileged": False, "permissions": permissions, **numbers})


async def test_registering_waits_for_the_account(alice: Home) -> None:
    """No account yet: retryable. Other keys: nothing is signed. Registered already: nothing to do."""
    await alice.hold()
    result = await alice.do(enlist=pb.Enlist())
    assert (result.ok, result.retryable) == (False, True)
    assert "not there yet" in result.error
    alice.nodes.node.accounts[ALICE] = _account(str(OTHER))
    result = await alice.do(enlist=pb.Enlist())
    assert not result.retryable
    key = alice.keys.account_key(ALICE)
    assert f"give it this key (cleos set account permission {ALICE} active {key}), if it is yours" in result.error
    alice.nodes.node.accounts[ALICE] = _account(str(alice.keys.account_key(ALICE)))
    alice.nodes.node.rows["eosio", "eosio", "producers", ALICE] = {
        "is_active": 1, "producer_key": str(alice.keys.signer_key(ALICE)), "url": "https://alice.example",
    }  # fmt: skip
    assert (await alice.do(enlist=pb.Enlist())).ok


async def test_who_left_registers_again_and_who_is_leaving_does_not(
    alice: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A producer that unregistered registers again. While its operator leaves, a coordinator's request is refused."""
    signed: list[str] = []

    async def sign(chore: Chore, pushes: Sequence[Push], info: Any, report: Any) -> tuple[Pushed, ...]:
        signed.extend(action.name for push in pushes for action in push.actions)
        return (Pushed(ALICE, "aa", 5),)

    monkeypatch.setattr(alice.duties.own, "sign", sign)
    await alice.hold()
    alice.nodes.node.accounts[ALICE] = _account(str(alice.keys.account_key(ALICE)))
    alice.nodes.node.rows["eosio", "eosio", "producers", ALICE] = {
        "is_active": 0, "producer_key": "EOS1111111111111111111111111111111114T1Anm", "url": "",
    }  # fmt: skip
    alice.duties.leaving = True
    assert "is leaving" in (await alice.do(enlist=pb.Enlist())).error
    assert signed == []
    alice.duties.leaving = False
    assert (await alice.do(enlist=pb.Enlist())).ok
    assert signed == ["regproducer"]


def _propose(alice: Home, proposer: str, name: str, packed: bytes, asked: str = ALICE) -> str:
    rows, level = alice.nodes.node.rows, {"level": {"actor": asked, "permission": "active"}, "time": ""}
    rows["eosio.msig", proposer, "proposal", name] = {"packed_transaction": packed.hex()}
    rows["eosio.msig", proposer, "approvals2", name] = {"requested_approvals": [level], "provided_approvals": []}
    return hashlib.sha256(packed).hexdigest()


THEFT = Transaction(4_000_000_000, 0, 0, (actions.transfer("eosio", "mallory", Asset.parse("1.0000 SYS")),)).packed


async def _endorse(alice: Home, proposer: str, name: str, digest: str) -> pb.Result:
    return await alice.do(endorse=pb.Endorse(proposer=proposer, proposal=name, hash=digest))


async def test_a_proposal_with_another_hash_is_refused(alice: Home) -> None:
    """The proposal on the own node counts, not the coordinator's description of it."""
    await alice.hold()
    blueprint = alice.duties.holding.network
    assert blueprint
    _propose(alice, "eosio", "canary", THEFT)
    result = await _endorse(alice, "eosio", "canary", canary.proposal_hash(blueprint).hex())
    assert not result.ok
    assert "has the hash" in result.error
    assert (await _endorse(alice, "eosio", "other", "0" * 64)).retryable  # it may still come


async def test_a_false_canary_asks_the_operator(alice: Home, caplog: pytest.LogCaptureFixture) -> None:
    """Its bytes make a proposal the canary, not name and proposer; any other waits for the operator's yes."""
    await alice.hold()
    digest = _propose(alice, "eosio", "canary", THEFT)
    result = await _endorse(alice, "eosio", "canary", digest)
    assert (result.ok, result.retryable) == (False, True)
    assert "operator has not said yes" in result.error
    assert [proposal.hash for proposal in alice.duties.approving.pending.all()] == [digest]
    await _endorse(alice, "eosio", "canary", digest)
    gives = re.compile(r"agent approve --data \S+ eosio/canary")
    assert len(list(filter(gives.search, caplog.messages))) == 1


async def test_a_yes_is_for_these_bytes(alice: Home) -> None:
    """An approval of one proposal does not count for another that takes its name later."""
    await alice.hold()
    _propose(alice, "sponsor", "x", canary.packed(Blueprint(alice.bundle.sealed, alice.bundle.artifacts.__getitem__)))
    found = await _find(alice, "sponsor", "x")
    alice.duties.approving.pending.agree(found)
    digest = _propose(alice, "sponsor", "x", THEFT)
    result = await _endorse(alice, "sponsor", "x", digest)
    assert "has not said yes" in result.error


async def _find(alice: Home, proposer: str, name: str) -> Proposal:
    found = await find(alice.nodes.node, proposer, name)  # type: ignore[arg-type] # it answers what find asks
    assert found
    return found


async def test_a_proposal_that_does_not_ask_the_party(alice: Home) -> None:
    """Nothing is signed for others."""
    await alice.hold()
    digest = _propose(alice, "eosio", "x", THEFT, asked="bob")
    assert "does not ask alice" in (await _endorse(alice, "eosio", "x", digest)).error


async def test_the_key_store_signs_as_the_party_alone(alice: Home) -> None:
    """The agent never signs with eosio's key, even if it had it."""
    await alice.hold()
    alice.keys.make(["bob"], ["eosio"])
    signing = alice.duties.own.key_of
    assert signing(ALICE).public == alice.keys.account_key(ALICE)
    for account in ("bob", "eosio", "eosio.token"):
        with pytest.raises(KeyError):
            signing(account)


async def test_no_private_key_is_told(tmp_path: Path, alice: Home, caplog: pytest.LogCaptureFixture) -> None:
    """No result or log has a private key; only the key store's files do."""
    secrets = private_keys(alice.keys.accounts_file.parent)
    assert len(secrets) == 2
    with caplog.at_level("DEBUG"):
        await alice.hold()
        results = [
            await alice.do(follow=pb.Follow(peers=["8.8.0.1:1"])),
            await alice.do(enlist=pb.Enlist()),
            await _endorse(alice, "eosio", "x", _propose(alice, "eosio", "x", THEFT)),
            await alice.do(collect=pb.Collect(accounts=[ALICE], signers=[ALICE], network="net")),
        ]
    said = "\n".join([*caplog.messages, *(str(result) for result in results), repr(alice.keys)])
    assert not any(secret in said for secret in secrets)
    assert not re.search(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b|PVT_K1_", said)
    holding = {
        path.name
        for path in tmp_path.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    }
    assert holding == {"accounts.json", "signing.json"}


async def test_what_is_wanted_again_is_signed_again(alice: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vote for a, for b, and for a: the first is in a block that may be dropped, and does not count as the third. A
    transaction that is in no block yet is pushed again with the same bytes.
    """
    await alice.hold()
    chain_id = alice.bundle.sealed.chain_id
    records, signed = PushRecords(alice.journal, chain_id), SignedTransaction((), b"")
    records.add([(Record("operator", "placed", "aa", expiration=1, first=1, block=7), signed)])
    records.add([(Record("operator", "under way", "bb", expiration=1, first=1), signed)])
    known: list[Record | None] = []

    async def do(pushing: Pushing, *rest: Any) -> tuple[Pushed, ...]:
        known.extend(pushing.records.find("operator", key) for key in ("placed", "under way"))
        return ()

    monkeypatch.setattr(Pushing, "do", do)
    vote = actions.voteproducer(ALICE, "", ["bob"])
    assert (await alice.do(follow=pb.Follow())).ok
    info = await alice.duties.own.node.get_info()
    await alice.duties.own.sign(Chore("operator"), [Push(key, (vote,), ALICE) for key in ("placed", "under way")], info)
    assert [one.id if one else "" for one in known] == ["", "bb"]
