"""What steps read off the chain: work that is missing, in part or in full, and lawful changes later."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from antelope.abi import Abi
from antelope.genesis import DEFAULT_CONFIGURATION
from antelope.layouts import unpack_data
from boot.blueprint import Blueprint
from boot.reads import NO_CODE
from boot.step import ChainStep, Push, Turn, WaitStep
from boot.steps import OPTIONAL, STEPS
from inventory.sealed import SealedLimits
from tests.unit.boot.conftest import KEY, FakeChain, account

Delegated = Callable[..., dict[str, Any]]


def step(name: str) -> ChainStep | WaitStep:
    """The step of that name."""
    found = next(one for one in (*STEPS, *OPTIONAL) if one.name == name)
    assert isinstance(found, ChainStep | WaitStep)
    return found


def missing(chain: FakeChain, blueprint: Blueprint, name: str) -> tuple[str, ...]:
    """What the step's evidence misses."""
    return chain.verdict(step(name).evidence(blueprint)).missing


def test_evidence_asks_only_for_keys_of_the_work(blueprint: Blueprint) -> None:
    """Every step's keys are unique, and every step has pushes that are not spare ones."""
    for one in (*STEPS, *OPTIONAL):
        if isinstance(one, ChainStep):
            work = one.work(blueprint)
            assert len({each.key for each in work}) == len(work)
            assert any(not isinstance(each, Push) or not each.spare for each in work)


def governing(chain: FakeChain, delegated: Delegated, signer: str = "prodwon") -> FakeChain:
    """The chain after eosio has resigned, its last irreversible block signed by that producer."""
    chain.accounts["eosio"] = delegated("eosio.prods")
    chain.answers[None, "/v1/chain/get_info"] = {"head_block_num": 90, "last_irreversible_block_num": 80}
    chain.answers[None, "/v1/chain/get_block_info"] = {"producer": signer}
    return chain


def test_an_early_resignation_proves_nothing(blueprint: Blueprint, delegated: Delegated) -> None:
    """While eosio signs the blocks, nothing counts as done by it; steps that need its key fail, with the reason."""
    for one in STEPS:
        if not isinstance(one, ChainStep) or one.name in ("preactivate", "resign"):
            continue
        chain = governing(FakeChain(answers=features()), delegated, signer="eosio")
        code(chain, NO_CODE, NO_CODE)
        chain.answers[None, "/v1/chain/get_scheduled_transactions"] = {"transactions": [], "more": ""}
        verdict = chain.verdict(one.evidence(blueprint))
        assert verdict.missing, one.name
        users = one.name in ("register", "proxies", "votes", "canary-propose", "canary-approve", "canary-exec")
        assert verdict.impossible != users, one.name
        assert users or "eosio resigned before this was done" in verdict.detail
        assert set(verdict.missing) <= {work.key for work in one.work(blueprint)}, one.name


def test_what_is_replaced_later_stays_done(blueprint: Blueprint, delegated: Delegated) -> None:
    """Once the elected sign and eosio has resigned, producers and users may change contracts, keys and votes."""
    chain = governing(FakeChain(answers=features("p" * 64, "b" * 64, "c" * 64)), delegated)
    code(chain, "e" * 64, "f" * 64)
    for name in ("boot-contract", "contracts", "system-contract"):
        assert missing(chain, blueprint, name) == ()
    rows = [{"owner": name, "producer_key": NULL, "is_active": 0} for name in ("prodwon", "prodlost")]
    chain.tables["eosio", "eosio", "producers"] = rows
    assert missing(chain, blueprint, "register") == ()
    rows.pop()
    assert missing(chain, blueprint, "register") == ("prodlost",)
    changed = {"proxy": "", "producers": [], "is_proxy": 0}
    voters = ("userrich", "usermiddle", "userpoor", "prodlost")
    chain.tables["eosio", "eosio", "voters"] = table = [
        {"owner": name, "last_vote_weight": "17.5", "staked": 5, **changed} for name in voters
    ]
    assert missing(chain, blueprint, "votes") == missing(chain, blueprint, "proxies") == ()
    table[3] |= {"last_vote_weight": "0.00000000000000000"}
    assert missing(chain, blueprint, "votes") == ("own-prodlost",)
    table[3] |= {"staked": 0}
    assert missing(chain, blueprint, "votes") == ()
    for hashes in ((NO_CODE, "f" * 64), ("e" * 64, hashlib.sha256(b"").hexdigest())):
        code(chain, *hashes)
        assert missing(chain, blueprint, "contracts") != ()
    code(chain, blueprint.sealed.boot_contract.wasm, "f" * 64)
    assert missing(chain, blueprint, "system-contract") == ("eosio",)


def features(*digests: str) -> dict[tuple[str | None, str], Any]:
    """All in one transaction if none is active; only the missing ones if some are."""
    listed = [{"feature_digest": digest} for digest in digests]
    return {(None, "/v1/chain/get_activated_protocol_features"): {"activated_protocol_features": listed}}


@pytest.mark.parametrize(
    ("active", "preactivate", "others"),
    [
        ((), ("PREACTIVATE_FEATURE",), ("features",)),
        (("p",), (), ("features",)),
        (("p", "b"), (), ("C",)),
        (("p", "b", "c"), (), ()),
    ],
)
def test_features(
    chain: FakeChain,
    blueprint: Blueprint,
    active: tuple[str, ...],
    preactivate: tuple[str, ...],
    others: tuple[str, ...],
) -> None:
    """All in one transaction if none is active; only the missing ones if some are."""
    chain.answers = features(*(letter * 64 for letter in active))
    assert missing(chain, blueprint, "preactivate") == preactivate
    assert missing(chain, blueprint, "features") == others


def code(chain: FakeChain, code_hash: str, abi_hash: str) -> None:
    """Every account has that code and that ABI."""
    chain.answers[None, "/v1/chain/get_raw_abi"] = {"code_hash": code_hash, "abi_hash": abi_hash}


def test_a_contract_is_its_code_and_its_abi(chain: FakeChain, blueprint: Blueprint) -> None:
    """Without code: both; with the code alone: only the ABI, because nodeos refuses the same code twice."""
    token = blueprint.sealed.contracts[0]
    abi = hashlib.sha256(Abi.parse(blueprint.verified(token.abi)).packed()).hexdigest()
    for hashes, expected in (((NO_CODE, abi), "eosio.token"), ((token.wasm, NO_CODE), "eosio.token/abi")):
        code(chain, *hashes)
        assert missing(chain, blueprint, "contracts") == (expected,)
    code(chain, token.wasm, abi)
    assert missing(chain, blueprint, "contracts") == ()


def test_the_boot_contract_is_for_the_features(chain: FakeChain, blueprint: Blueprint) -> None:
    """If another contract is on eosio, it is done once all features are active, and not before."""
    abi = hashlib.sha256(Abi.parse(blueprint.verified(blueprint.sealed.boot_contract.abi)).packed()).hexdigest()
    chain.answers = features("p" * 64, "b" * 64)
    code(chain, blueprint.sealed.contracts[1].wasm, abi)
    assert missing(chain, blueprint, "boot-contract") == ("boot contract",)
    chain.answers |= features("p" * 64, "b" * 64, "c" * 64)
    assert missing(chain, blueprint, "boot-contract") == missing(chain, blueprint, "system-contract") == ()
    code(chain, blueprint.sealed.boot_contract.wasm, abi)
    assert missing(chain, blueprint, "boot-contract") == ()
    assert missing(chain, blueprint, "system-contract") == ("eosio",)


def test_the_currency_is_created_then_issued(chain: FakeChain, blueprint: Blueprint) -> None:
    """No row: both actions; no supply: only the issue; a supply that has grown since: nothing."""
    assert missing(chain, blueprint, "currency") == ("create", "issue")
    for supply, expected in (("0.0000 SYS", ("issue",)), ("1000000123.0000 SYS", ())):
        stat = {"supply": supply, "max_supply": "10000000000.0000 SYS", "issuer": "eosio"}
        chain.tables["eosio.token", "SYS", "stat"] = [stat]
        assert missing(chain, blueprint, "currency") == expected


def test_every_planned_privilege_is_given(chain: FakeChain, blueprint: Blueprint) -> None:
    """Those of the seal, and only those that the chain lacks."""
    wider = replace(blueprint, sealed=replace(blueprint.sealed, privileged=("alice", "eosio.msig", "eosio.wrap")))
    work = step("privileges")
    assert isinstance(work, ChainStep)
    assert [push.key for push in work.work(wider)] == ["alice", "eosio.msig", "eosio.wrap"]
    chain.accounts |= {"eosio.msig": account(privileged=True), "eosio.wrap": account()}
    assert missing(chain, wider, "privileges") == ("alice", "eosio.wrap")
    assert missing(chain, blueprint, "privileges") == ()


def test_one_account_proves_its_transaction(
    chain: FakeChain, blueprint: Blueprint, delegated: Delegated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is applied together with its transaction: only the last account of each is read, or all in one walk."""
    monkeypatch.setattr("boot.steps.accounts.ROWS_PER_PUSH", 2)
    chain.accounts["usermiddle"] = delegated()
    assert missing(chain, blueprint, "accounts") == ("0001", "0002")
    monkeypatch.setattr("boot.steps.accounts.FEW_PUSHES", 1)
    answer = {"rows": [{"scope": "usermiddle"}, {"scope": "prodlost"}], "more": ""}
    chain.answers[None, "/v1/chain/get_table_by_scope"] = answer
    assert missing(chain, blueprint, "accounts") == ("0001",)


def test_a_glance_at_accounts_that_were_seen(
    chain: FakeChain, blueprint: Blueprint, delegated: Delegated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts that were seen in irreversible blocks are only spot-checked, not all read. If one is missing, because
    the chain began again, all evidence is read.
    """
    monkeypatch.setattr("boot.steps.accounts.ROWS_PER_PUSH", 1)
    monkeypatch.setattr("boot.steps.accounts.GLANCES", 3)
    monkeypatch.setattr("boot.steps.accounts.FEW_PUSHES", 1)
    accounts = step("accounts")
    assert isinstance(accounts, ChainStep)
    assert accounts.glance is not None
    names = [row.account for row in blueprint.rows]
    places = {0, round((len(names) - 1) / 2), len(names) - 1}
    chain.accounts |= {names[place]: delegated() for place in places}
    assert chain.verdict(accounts.glance(blueprint)).done
    del chain.accounts[names[-1]]
    chain.answers[None, "/v1/chain/get_table_by_scope"] = {"rows": [{"scope": name} for name in names[:-1]], "more": ""}
    assert chain.verdict(accounts.glance(blueprint)).missing == (f"{len(names) - 1:04}",)


def test_limits_are_raised_before_the_accounts_and_restored_after(
    chain: FakeChain, blueprint: Blueprint, delegated: Delegated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a boot was interrupted: missing accounts come between raising and restoring the limits; once all exist,
    the limits are only restored if they are still raised.
    """
    monkeypatch.setattr("boot.steps.accounts.ROWS_PER_PUSH", 2)
    genesis = {
        **blueprint.sealed.genesis,
        "initial_timestamp": "2026-01-01T00:00:00.000",
        "initial_key": KEY,
        "initial_configuration": dict(DEFAULT_CONFIGURATION),
    }
    raised = {"max_block_net_usage": 4 << 20, "max_block_cpu_usage": 2_000_000}
    sealed = replace(blueprint.sealed, genesis=genesis, load=SealedLimits(*raised.values()))
    wider = replace(blueprint, sealed=sealed)
    work = step("accounts")
    assert isinstance(work, ChainStep)
    first, *batches, last = work.work(wider)
    assert [one.turn for one in (first, *batches, last)] == [Turn.FIRST, Turn.ANY, Turn.ANY, Turn.ANY, Turn.LAST]
    for push, values in ((first, raised), (last, {})):
        assert isinstance(push, Push)
        (action,) = push.actions
        assert unpack_data("eosio", action.name, action.data) == {"params": dict(DEFAULT_CONFIGURATION) | values}

    everything = {row.account for row in wider.rows}
    middle = {"usermiddle"}
    usual: dict[str, int] = dict(DEFAULT_CONFIGURATION)
    keys = ("0001", "0002", "restore-limits")
    for there, now, expected in (
        (middle, usual, ("raise-limits", *keys)),
        (middle, usual | raised, keys),
        (everything, usual | raised, ("restore-limits",)),
        (everything, usual, ()),
    ):
        chain.accounts = {"eosio": account()} | {name: delegated() for name in there}
        chain.answers[None, "/v1/chain/get_consensus_parameters"] = {"chain_config": now}
        assert missing(chain, wider, "accounts") == expected


def test_transactions_keep_below_the_genesis_limit(blueprint: Blueprint) -> None:
    """A smaller max_transaction_net_usage means fewer accounts in a transaction, but at least one."""
    accounts = step("accounts")
    assert isinstance(accounts, ChainStep)
    limits = blueprint.sealed.genesis["initial_configuration"]
    for limit, pushes in ((524288, 1), (1024 + 2 * 370, 3), (500, 5)):
        limits["max_transaction_net_usage"] = limit
        assert len(accounts.work(blueprint)) == pushes


NULL = "EOS1111111111111111111111111111111114T1Anm"


def test_registration_is_of_the_sealed_key(chain: FakeChain, blueprint: Blueprint) -> None:
    """A producer with another key, or unregistered, is missing; one with several keys shows the null key."""
    other = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
    rows = [{"owner": "prodwon", "producer_key": KEY, "is_active": 1}]
    chain.tables["eosio", "eosio", "producers"] = rows
    assert missing(chain, blueprint, "register") == ("prodlost",)
    rows.append({"owner": "prodlost", "producer_key": other, "is_active": 1})
    assert missing(chain, blueprint, "register") == ("prodlost",)
    rows[1] = {"owner": "prodlost", "producer_key": KEY, "is_active": 1}
    assert missing(chain, blueprint, "register") == ()
    rows.append({"owner": "stranger", "producer_key": NULL, "is_active": 1})
    assert missing(chain, blueprint, "register") == ()
    rows[1] = {"owner": "prodlost", "producer_key": NULL, "is_active": 1}
    assert missing(chain, blueprint, "register") == ("prodlost",)
    rows[:2] = [{"owner": "prodwon", "producer_key": KEY, "is_active": 0}, {**rows[1], "producer_key": KEY}]
    assert missing(chain, blueprint, "register") == ("prodwon",)


def voter(owner: str, *producers: str, proxy: str = "", is_proxy: int = 0) -> dict[str, Any]:
    """A row of the voters table."""
    return {"owner": owner, "proxy": proxy, "producers": list(producers), "is_proxy": is_proxy}


def test_votes_and_proxies(chain: FakeChain, blueprint: Blueprint) -> None:
    """A vote is there when it is the sealed one, whatever the order of its producers."""
    rows = [voter("userpoor", proxy="userrich"), voter("prodlost", "prodwon"), voter("userrich")]
    chain.tables["eosio", "eosio", "voters"] = rows
    assert missing(chain, blueprint, "votes") == ("late-000",)
    assert missing(chain, blueprint, "proxies") == ("userrich",)
    rows[1:] = [voter("prodlost", "prodwon", "prodlost"), voter("userrich", is_proxy=1)]
    assert missing(chain, blueprint, "votes") == missing(chain, blueprint, "proxies") == ()


def test_users_actions_are_billed_to_eosio(blueprint: Blueprint) -> None:
    """The first authorizer pays: eosio for users, each producer for itself."""
    votes = step("votes")
    assert isinstance(votes, ChainStep)
    levels = {
        str(action.authorization[-1]): [str(level) for level in action.authorization]
        for push in votes.work(blueprint)
        if isinstance(push, Push)
        for action in push.actions
        if not push.spare
    }
    assert levels["userrich@active"] == ["eosio@active", "userrich@active"]
    assert levels["prodlost@active"] == ["prodlost@active"]


def test_the_resignation_is_of_every_account(chain: FakeChain, blueprint: Blueprint, delegated: Delegated) -> None:
    """It is done when eosio belongs to eosio.prods, and each account that the boot made to eosio, contracts' accounts
    included.
    """
    resign = step("resign")
    assert isinstance(resign, ChainStep)
    push, *singly = resign.work(blueprint)
    assert isinstance(push, Push)
    names = [action.authorization[0].actor for action in push.actions][::2]
    assert names == ["eosio.msig", "eosio.ram", "eosio.token", "eosio"]
    chain.accounts = {name: delegated("eosio") for name in names} | {"eosio": delegated("eosio.prods")}
    assert missing(chain, blueprint, "resign") == ()
    assert [one.key for one in singly] == names[:-1]
    chain.accounts["eosio.ram"]["permissions"][0] = delegated()["permissions"][0]
    assert missing(chain, blueprint, "resign") == ("eosio.ram",)
    chain.accounts["eosio.ram"] = delegated("eosio")
    chain.accounts["eosio.token"]["permissions"][1] = delegated()["permissions"][1]
    verdict = chain.verdict(resign.evidence(blueprint))
    assert (verdict.missing, verdict.detail) == (("eosio.token",), "with keys of their own still: eosio.token")
    chain.accounts["eosio"] = delegated()
    assert missing(chain, blueprint, "resign") == ("resign",)


def test_claims_go_by_the_chains_clock(chain: FakeChain, blueprint: Blueprint) -> None:
    """Only producers of this network whose day is over are asked to claim."""
    chain.tables["eosio", "eosio", "producers"] = [
        {"owner": "prodwon", "is_active": 1, "last_claim_time": "2026-01-01T00:00:00.000"},
        {"owner": "prodlost", "is_active": 1, "last_claim_time": "2026-01-01T12:00:00.000"},
        {"owner": "stranger", "is_active": 1, "last_claim_time": "2025-01-01T00:00:00.000"},
    ]
    chain.answers[None, "/v1/chain/get_info"] = {"head_block_time": "2026-01-02T00:00:00.500"}
    assert missing(chain, blueprint, "claim") == ("prodwon",)
    chain.answers[None, "/v1/chain/get_info"] = {"head_block_time": "2026-01-02T00:00:00.000"}
    verdict = chain.verdict(step("claim").evidence(blueprint))
    assert verdict.detail == "nothing is due; the next is prodwon, from 2026-01-02 00:00:00 UTC"
