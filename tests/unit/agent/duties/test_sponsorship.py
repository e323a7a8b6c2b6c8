"""What the operator's agents do for parties stays within the seal, whatever a coordinator asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.duties.sponsorship import Sponsorship, account_actions
from agent.errors import DutyError
from agent.keys import KeyStore
from agent.nodes.state import NodeStatus
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords, Record
from agent.reports import Pushed
from antelope.answers import Account
from antelope.keys import PrivateKey
from antelope.layouts import unpack_data
from antelope.transaction import Transaction
from boot.blueprint import Blueprint
from boot.step import NodeMode, Push
from boot.upgrade import upgrade_transaction
from inventory.seal import SealedBundle
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.journal import Journal
from tests.unit.agent.party.conftest import FakeNode, sealed_network

KEY = PrivateKey(bytes(31) + b"\x07").public
NEWCOMER = "alice1111111"


@dataclass
class Nodes:
    """One node that takes transactions."""

    node: FakeNode = field(default_factory=FakeNode)
    mode: NodeMode = NodeMode.NORMAL
    seed: bool = False

    async def status(self) -> list[NodeStatus]:
        """It runs."""
        return [NodeStatus("defproducera", NodeState.RUNNING, self.mode, seed=self.seed)]

    def client(self, name: str) -> FakeNode:
        """Its answers."""
        return self.node


@dataclass
class Desk:
    """The duties, and what they pushed."""

    nodes: Nodes
    blueprint: Blueprint
    keys: KeyStore
    records: PushRecords
    duties: Sponsorship = field(init=False)
    pushed: list[Push] = field(default_factory=list)
    had: list[str] = field(default_factory=list)

    def held(self) -> Blueprint:
        """As Holding's."""
        return self.blueprint

    async def ensure(self, sha256: str) -> None:
        """As Holding's: it was fetched."""
        self.had.append(sha256)

    async def sponsor(self, account: str, key: object = KEY) -> None:
        """Asks for an account."""
        body = pb.Sponsor(account=account, public_key=str(key))
        await self.duties.sponsor(body, lambda progress: None)

    async def elect(self, *producers: str) -> None:
        """Asks for votes."""
        await self.duties.elect(pb.Elect(producers=producers), lambda progress: None)

    def producer(self, name: str, active: bool = True) -> None:
        """Puts a producer on the chain."""
        self.nodes.node.rows["eosio", "eosio", "producers", name] = {"owner": name, "is_active": int(active)}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A sponsor that pays for two parties; pushes are only remembered, and recorded as if they were in a block."""
    bundle: SealedBundle = sealed_network(tmp_path)
    sealed, keys, nodes = bundle.sealed, KeyStore(tmp_path / "keys"), Nodes()
    journal = Journal(tmp_path / "journal.sqlite")
    blueprint = Blueprint(sealed, bundle.artifacts.__getitem__)
    made = Desk(nodes, blueprint, keys, PushRecords(journal, sealed.chain_id))
    tools = SimpleNamespace(nodes=nodes, keys=keys, journal=journal)
    made.duties = Sponsorship(tools, made)  # type: ignore[arg-type] # what of both it uses is there

    async def do(pushing: Pushing, node: Any, chore: Chore, pushes: Sequence[Push], *_: Any) -> tuple[Pushed, ...]:
        for push in pushes:
            made.pushed.append(push)
            signed = Transaction(1, 0, 0, push.actions).sign("ab" * 32, [pushing.key_of(push.holder)])
            record = Record(chore.name, push.key, signed.id, int(time.time()) + 60, 1, block=5)
            pushing.records.add([(record, signed)])
        return tuple(Pushed(push.key, "01", 5) for push in pushes)

    monkeypatch.setattr(Pushing, "do", do)
    keys.make(["sponsor", *(vote.voter for vote in sealed.votes)])
    return made


async def test_an_account_gets_what_is_sealed(desk: Desk) -> None:
    """One transaction of the sponsor's: the account with the party's key, and exactly the sealed amounts."""
    await desk.sponsor(NEWCOMER)
    (push,) = desk.pushed
    terms = desk.blueprint.sealed.sponsor
    assert terms
    assert push.holder == "sponsor"
    assert {str(level) for action in push.actions for level in action.authorization} == {"sponsor@active"}
    assert [action.name for action in push.actions] == ["newaccount", "buyram", "delegatebw", "transfer"]
    stake = unpack_data("eosio", "delegatebw", push.actions[2].data)
    assert stake["transfer"] in (True, 1)
    assert stake["stake_net_quantity"] == f"{terms.net / 10_000:.4f} SYS"
    assert (
        unpack_data("eosio.token", "transfer", push.actions[3].data)["quantity"] == f"{terms.liquid / 10_000:.4f} SYS"
    )
    made = unpack_data("eosio", "newaccount", push.actions[0].data)
    assert made["active"]["keys"] == [{"key": str(KEY), "weight": 1}]


async def test_the_budget_holds(desk: Desk) -> None:
    """Two accounts, as sealed, and no third; asking for the same one again creates nothing."""
    await desk.sponsor(NEWCOMER)
    await desk.sponsor("bob111111111")
    with pytest.raises(DutyError, match="pays for 2 accounts"):
        await desk.sponsor("carol1111111")
    await desk.sponsor(NEWCOMER)
    assert {push.key for push in desk.pushed} == {NEWCOMER, "bob111111111"}


@pytest.mark.parametrize("name", ["short", "eosio.bad1", "a.b111111111", "useraaaaaaaa", "", "Alice1111111"])
async def test_names_that_no_party_gets(desk: Desk, name: str) -> None:
    """A name has 12 characters without a dot, and is not in the allocation."""
    with pytest.raises(DutyError, match="refused"):
        await desk.sponsor(name)
    assert desk.pushed == []


async def test_an_account_that_is_there(desk: Desk) -> None:
    """If the account exists with that key, nothing is left to do; with another key, nothing is done."""
    authority = {"threshold": 1, "keys": [{"key": str(KEY), "weight": 1}], "accounts": [], "waits": []}
    there: Mapping[str, Any] = {
        "account_name": NEWCOMER, "privileged": False, "ram_quota": 0, "ram_usage": 0, "net_weight": 0, "cpu_weight": 0,
        "permissions": [{"perm_name": "active", "parent": "owner", "required_auth": authority}],
    }  # fmt: skip
    desk.nodes.node.accounts[NEWCOMER] = Account.from_json(there)
    await desk.sponsor(NEWCOMER)
    with pytest.raises(DutyError, match="with other keys"):
        await desk.sponsor(NEWCOMER, PrivateKey(bytes(31) + b"\x08").public)
    assert desk.pushed == []


async def test_only_the_sealed_voters_vote(desk: Desk) -> None:
    """Every sealed voter whose key is here votes for all of these; a voter that already does is left alone."""
    voters = [vote.voter for vote in desk.blueprint.sealed.votes]
    for name in ("defproducera", NEWCOMER):
        desk.producer(name)
    desk.nodes.node.rows["eosio", "eosio", "voters", voters[0]] = {"proxy": "", "producers": [NEWCOMER, "defproducera"]}
    await desk.elect("defproducera", NEWCOMER)
    cast = [unpack_data("eosio", action.name, action.data) for push in desk.pushed for action in push.actions]
    assert [vote["voter"] for vote in cast] == voters[1:]
    assert all(vote["producers"] == [NEWCOMER, "defproducera"] for vote in cast)


async def test_who_cannot_be_voted_for(desk: Desk) -> None:
    """Refused: unregistered and inactive producers, an empty list, duplicates, and more names than a vote may have."""
    desk.producer("defproducera")
    desk.producer("inactive1111", active=False)
    for producers, words in [
        (("defproducera", "mallory11111"), "not registered"),
        (("inactive1111",), "not registered"),
        ((), "1 to 30"),
        (("defproducera", "defproducera"), "1 to 30"),
        (tuple(f"prod1111111{letter}" for letter in "abcdefghijklmnopqrstuvwxyz12345"), "1 to 30"),
    ]:
        with pytest.raises(DutyError, match=words):
            await desk.elect(*producers)
    assert desk.pushed == []


async def test_a_proposal_is_a_contract_and_nothing_else(desk: Desk) -> None:
    """From artifacts that were fetched and verified; an expiration in years or in the past is refused."""
    contract = desk.blueprint.sealed.contracts[0]
    body = pb.Propose(
        proposal="upgrade", account="eosio", wasm=contract.wasm, abi=contract.abi, requested=["defproducera"],
        expiration=int(time.time()) + 3600,
    )  # fmt: skip
    await desk.duties.propose(body, lambda progress: None)
    assert desk.had == [contract.wasm, contract.abi]
    (push,) = desk.pushed
    wasm, abi = desk.blueprint.verified(contract.wasm), desk.blueprint.verified(contract.abi)
    proposed = upgrade_transaction("eosio", wasm, abi, body.expiration)
    assert [action.name for action in proposed.actions] == ["setcode", "setabi"]
    assert proposed.packed in push.actions[0].data
    for expiration in (int(time.time()) - 1, int(time.time()) + 365 * 86_400):
        body.expiration = expiration
        with pytest.raises(DutyError, match="within 30 days"):
            await desk.duties.propose(body, lambda progress: None)


async def test_a_retired_genesis_node_takes_no_transactions(desk: Desk) -> None:
    """A host whose only node takes no transactions says so, instead of pushing to it."""
    desk.nodes.mode = NodeMode.AUDIT
    with pytest.raises(DutyError, match="no node of this host takes transactions"):
        await desk.sponsor(NEWCOMER)


async def test_a_seed_takes_no_transactions(desk: Desk) -> None:
    """Nor is anything pushed to a node that is for peers alone."""
    desk.nodes.seed = True
    with pytest.raises(DutyError, match="no node of this host takes transactions"):
        await desk.sponsor(NEWCOMER)


async def test_without_a_sponsor_nobody_pays(desk: Desk, tmp_path: Path) -> None:
    """Without a sealed sponsor a coordinator can spend nothing."""
    (tmp_path / "poor").mkdir()
    bundle = sealed_network(tmp_path / "poor", '[network]\nname = "net"\n')
    desk.blueprint = Blueprint(bundle.sealed, bundle.artifacts.__getitem__)
    with pytest.raises(DutyError, match="no sponsor"):
        await desk.sponsor(NEWCOMER)


def test_nothing_is_staked_or_sent_for_nothing(desk: Desk) -> None:
    """Zero amounts are left out: the contracts refuse them."""
    terms = desk.blueprint.sealed.sponsor
    assert terms
    made = account_actions(desk.blueprint, replace(terms, net=0, cpu=0, liquid=0), NEWCOMER, KEY)
    assert [action.name for action in made] == ["newaccount", "buyram"]
