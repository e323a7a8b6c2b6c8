"""From the synced nodes over the election to the canary: what is missing, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antelope.errors import UnknownEndpoint, Unreachable
from boot import canary
from boot.blueprint import Blueprint
from boot.steps import canary_approve, canary_exec, canary_propose, handover, retire, synced, turns
from tests.unit.boot.conftest import FakeChain, account

Delegated = Callable[..., dict[str, Any]]
INFO, LINKS, SCHEDULE = "/v1/chain/get_info", "/v1/net/connections", "/v1/chain/get_producer_schedule"
BLOCK = "/v1/chain/get_block_info"
CANARY = (canary_propose, canary_approve, canary_exec)
EXECUTE_EOSIOS = "exec/deputy for eosio"
DEFERRED = "/v1/chain/get_scheduled_transactions"


def node_answers(blueprint: Blueprint, **changes: Any) -> dict[tuple[str | None, str], Any]:
    """A boot node at block 100, and alpha in sync with it, but for the changes."""
    chain_id = blueprint.sealed.chain_id
    return {
        (None, INFO): {"head_block_num": 100, "last_irreversible_block_num": 99},
        (None, BLOCK): {"producer": "eosio"},
        ("alpha", INFO): {"head_block_num": 97, "chain_id": chain_id},
        ("alpha", LINKS): [{"peer": "", "last_handshake": {"chain_id": chain_id}}],
    } | {("alpha", {"info": INFO, "links": LINKS}[name]): answer for name, answer in changes.items()}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"info": {"head_block_num": 95, "chain_id": "c" * 64}}, "alpha: is 5 blocks behind"),
        ({"info": {"head_block_num": 100, "chain_id": "d" * 64}}, "alpha: is on another chain, dddddddddddddddd…"),
        ({"info": Unreachable("refused")}, "alpha: does not answer (refused)"),
        ({"links": []}, "alpha: has no connection to another node"),
        ({"links": [{"last_handshake": {"chain_id": "0" * 64}}]}, "alpha: has no connection to another node"),
        ({"info": []}, "alpha: gives answers that cannot be read"),
        ({"info": {"head_block_num": "x", "chain_id": "c" * 64}}, "alpha: gives answers that cannot be read"),
        ({"links": [1]}, "alpha: gives answers that cannot be read"),
    ],
)
def test_a_producers_node_must_follow(chain: FakeChain, blueprint: Blueprint, changes: Any, said: str) -> None:
    """It answers, on this chain, near the head, with a link that completed a handshake; a fault is named."""
    chain.answers = node_answers(blueprint, **changes)
    verdict = chain.verdict(synced.evidence(blueprint))
    assert verdict.done == (not said)
    assert verdict.detail == (said or "in sync: prodwon")


def election(active: str, **state: Any) -> FakeChain:
    """A chain with that producer scheduled, and that state of the contract."""
    row = {
        "thresh_activated_stake_time": "1970-01-01T00:00:00.000",
        "total_activated_stake": 0,
        "total_producer_vote_weight": "0.00000000000000000",
    }
    schedule = {"active": {"producers": [{"producer_name": active}]}, "pending": None}
    info = {"head_block_num": 100, "last_irreversible_block_num": 99}
    answers: dict[tuple[str | None, str], Any] = {(None, SCHEDULE): schedule, (None, INFO): info}
    return FakeChain({"eosio": account()}, {("eosio", "eosio", "global"): [row | state]}, answers)


@pytest.mark.parametrize(
    ("state", "elsewhere"),
    [
        ({}, True),
        ({"total_activated_stake": "1499999999999", "total_producer_vote_weight": "1.5"}, True),
        ({"total_producer_vote_weight": "1.5"}, False),
        ({"thresh_activated_stake_time": "2026-01-02T03:04:05.000", "total_producer_vote_weight": "1.5"}, False),
    ],
)
def test_votes_of_others_are_awaited_elsewhere(blueprint: Blueprint, state: dict[str, Any], elsewhere: bool) -> None:
    """Too little stake is for others to vote; a contract without a threshold, or past it, elects by itself."""
    chain = election("eosio", **state)
    verdict = chain.verdict(handover.evidence(blueprint))
    assert (verdict.missing, verdict.elsewhere) == (("prodwon",), elsewhere)


@pytest.mark.parametrize(
    ("pending", "proposed", "said"),
    [
        (None, None, "not proposed yet"),
        ({"version": 1, "producers": []}, {"version": 1, "producers": []}, "not proposed yet"),
        ({"version": 1, "producers": []}, {"producers": [{"producer_name": "prodwon"}]}, "proposed"),
        ({"producers": [{"producer_name": "prodwon"}]}, None, "pending"),
    ],
)
def test_an_empty_schedule_is_none(pending: Any, proposed: Any, said: str, blueprint: Blueprint) -> None:
    """The bundled nodeos says null where there is none, Spring a schedule without producers."""
    chain = election("eosio", total_producer_vote_weight="1.5")
    chain.answers[None, SCHEDULE] |= {"pending": pending, "proposed": proposed}
    assert chain.verdict(handover.evidence(blueprint)).detail.endswith(f"the next: {said}")


def test_every_elected_producer_must_have_signed(blueprint: Blueprint) -> None:
    """The schedule alone proves nothing: the contract counts each producer's blocks."""
    chain = election("prodwon")
    rows = [{"owner": "prodwon", "unpaid_blocks": 0}, {"owner": "prodlost", "unpaid_blocks": 0}]
    chain.tables["eosio", "eosio", "producers"] = rows
    assert chain.verdict(turns.evidence(blueprint)).missing == ("prodwon",)
    rows[0]["unpaid_blocks"] = 1
    assert chain.verdict(turns.evidence(blueprint)).done


def test_eosio_prods_must_be_the_elected(blueprint: Blueprint, delegated: Delegated) -> None:
    """The canary is executed next, by the authority that eosio.prods has then."""
    chain = election("prodwon")
    for member, done in (("eosio", False), ("prodwon", True)):
        chain.accounts["eosio.prods"] = delegated(member)
        assert chain.verdict(handover.evidence(blueprint)).done == done


def test_a_resignation_is_no_handover(blueprint: Blueprint, delegated: Delegated) -> None:
    """While eosio signs, the elected are waited for and eosio's node is not retired, until their blocks come."""
    chain = election("eosio", total_producer_vote_weight="1.5")
    chain.accounts["eosio"] = delegated("eosio.prods")
    for signer, done in (("", False), ("eosio", False), ("prodlost", True)):
        chain.answers[None, BLOCK] = {"producer": signer}
        assert chain.verdict(handover.evidence(blueprint)).done == done
        assert chain.verdict(retire.condition(blueprint)).done == done
    chain.answers[None, INFO] = {"head_block_num": 1, "last_irreversible_block_num": 0}
    assert not chain.verdict(handover.evidence(blueprint)).done


def test_the_deputy_proposes_after_an_early_resignation(blueprint: Blueprint, delegated: Delegated) -> None:
    """eosio can no longer propose or execute, so a producer does, also what eosio had proposed."""
    chain = canary_chain(delegated)
    chain.accounts["eosio"] = delegated("eosio.prods")
    missing = [chain.verdict(module.evidence(blueprint)).missing for module in CANARY]
    assert missing == [("propose/deputy",), ("prodwon/deputy",), ("exec/deputy",)]
    row = {"proposal_name": "canary", "packed_transaction": canary.packed(blueprint).hex()}
    for proposer, keys in (("prodwon", ("prodwon/deputy", "exec/deputy")), ("eosio", ("prodwon", EXECUTE_EOSIOS))):
        chain.tables["eosio.msig", proposer, "proposal"] = [row]
        missing = [chain.verdict(module.evidence(blueprint)).missing for module in CANARY]
        assert missing == [(), (keys[0],), (keys[1],)]


def canary_chain(delegated: Delegated, deferred: bool = False) -> FakeChain:
    """After the handover, with one approval demanded, and nothing proposed."""
    queue = [{"sender": "eosio.msig"}] if deferred else []
    accounts = {"eosio": delegated(), "eosio.prods": delegated("prodwon")}
    return FakeChain(accounts=accounts, answers={(None, DEFERRED): {"transactions": queue, "more": ""}})


def stages(chain: FakeChain, blueprint: Blueprint) -> list[bool]:
    """Whether proposing, approving and executing are done."""
    return [chain.verdict(module.evidence(blueprint)).done for module in CANARY]


def test_the_canary_from_proposal_to_proof(blueprint: Blueprint, delegated: Delegated) -> None:
    """Each stage is done when its trace is on the chain; the trace of the last stage proves all."""
    chain = canary_chain(delegated)
    assert stages(chain, blueprint) == [False, False, False]
    row = {"proposal_name": "canary", "packed_transaction": canary.packed(blueprint).hex()}
    chain.tables["eosio.msig", "eosio", "proposal"] = [row]
    assert stages(chain, blueprint) == [True, False, False]
    approvals = {"proposal_name": "canary", "provided_approvals": [{"level": {"actor": "prodwon"}}]}
    chain.tables["eosio.msig", "eosio", "approvals2"] = [approvals]
    assert stages(chain, blueprint) == [True, True, False]
    chain.tables = {}
    chain.answers[None, DEFERRED] = {"transactions": [{"sender": "eosio.msig"}], "more": ""}
    assert stages(chain, blueprint) == [True, True, False]
    waiting = "executed; its deferred transaction has not run yet"
    assert chain.verdict(canary_exec.evidence(blueprint)).detail == waiting
    chain.answers[None, DEFERRED] = {"transactions": [], "more": ""}
    chain.tables["eosio.token", "eosio.prods", "accounts"] = [{"balance": "0.0000 SYS"}]
    assert stages(chain, blueprint) == [True, True, True]


def test_an_execution_without_effect_is_said(blueprint: Blueprint, delegated: Delegated) -> None:
    """The proposal is gone without a trace of its effect: eosio must not resign, and the boot proposes it again."""
    chain = canary_chain(delegated)
    for queue in (chain.answers[None, DEFERRED], UnknownEndpoint(404, 0, "exception", "Unknown Endpoint")):
        chain.answers[None, DEFERRED] = queue
        verdict = chain.verdict(canary_exec.evidence(blueprint))
        assert "without its effect" in verdict.detail
    assert not chain.verdict(canary_propose.evidence(blueprint)).done


def test_another_proposal_of_that_name_is_not_the_canary(blueprint: Blueprint, delegated: Delegated) -> None:
    """Only these exact bytes count; approvals name their hash, so they cannot be used for others."""
    chain = canary_chain(delegated)
    chain.tables["eosio.msig", "eosio", "proposal"] = [{"proposal_name": "canary", "packed_transaction": "00"}]
    assert stages(chain, blueprint) == [False, False, False]
    assert canary.approve(blueprint, "prodwon").data.endswith(canary.proposal_hash(blueprint))


def test_everybody_derives_the_same_canary(blueprint: Blueprint) -> None:
    """Its bytes follow from the seal: ten years after the genesis, no reference block, one harmless action."""
    transaction = canary.transaction(blueprint)
    assert (transaction.ref_block_num, transaction.ref_block_prefix) == (0, 0)
    assert transaction.expiration == 1767323045 + 10 * 365 * 86_400
    (action,) = transaction.actions
    assert (action.account, action.name, str(action.authorization[0])) == ("eosio.token", "open", "eosio.prods@active")
