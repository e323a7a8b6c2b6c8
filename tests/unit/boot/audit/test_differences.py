"""Each planted difference is found, by the right checks only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boot.audit import audit
from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import (
    FakeChain,
    account,
    authority,
    block_signing,
    money,
    newaccount,
    permission,
    setcode,
)
from tests.unit.boot.audit.history import transaction
from tests.unit.boot.audit.planned import ELECTED, sha
from tests.unit.boot.audit.planting import (
    OTHER,
    Plant,
    add_producer,
    add_user,
    all_of,
    approve,
    change,
    delayed,
    row_of,
    set_authority,
    transfer,
)


def _unregister(c: FakeChain) -> None:
    c.tables["eosio", "eosio", "producers"].pop(0)


def _inflate(c: FakeChain) -> None:
    c.tables["eosio.token", "SYS", "stat"][0]["supply"] = money(10_000_000_010_000)
    c.balances["eosio"] += 10_000


def _more_producers(c: FakeChain) -> None:
    c.schedule["active"]["producers"].pop()


def _haunt(c: FakeChain) -> None:
    c.blocks[5].append(transaction(newaccount("ghost")))
    c.accounts["ghost"] = account("ghost", authority((OTHER,)), authority((OTHER,)))


def _swap_keys(c: FakeChain) -> None:
    c.schedule["active"]["producers"][0]["authority"] = block_signing(OTHER)


PLANTED: list[tuple[str, Plant, dict[str, str]]] = [
    ("another chain", lambda c: change(c.info, chain_id="f" * 64), {"chain id": "ffff"}),
    ("a feature missing", lambda c: c.features.pop(), {"protocol features": "GET_SENDER is not active"}),
    (
        "a feature too many",
        lambda c: c.features.append(
            {"feature_digest": "ab", "specification": [{"name": "builtin_feature_codename", "value": "SAVANNA"}]}
        ),
        {"protocol features": "SAVANNA is active, but not sealed"},
    ),
    (
        "a limit",
        lambda c: change(c.parameters, max_transaction_delay=1),
        {"chain parameters": "max_transaction_delay is 1"},
    ),
    (
        "other code",
        lambda c: c.contracts.update({"eosio.msig": (sha(b"evil"), c.contracts["eosio.msig"][1])}),
        {"contract code": f"eosio.msig has code {sha(b'evil')}"},
    ),
    (
        "another ABI",
        lambda c: c.contracts.update({"eosio.token": (c.contracts["eosio.token"][0], b"\x0eeosio::abi/1.1\x01")}),
        {"contract ABIs": "eosio.token has an ABI other than"},
    ),
    (
        "code on a system account",
        lambda c: change(c.accounts["eosio.vpay"], last_code_update="2026-11-22T19:36:49.500"),
        {"no other code": "eosio.vpay has, or had, code"},
    ),
    (
        "code on a user",
        lambda c: change(c.accounts["useraaaaaaaa"], last_code_update="2026-11-22T19:36:49.500"),
        {"no other code": "useraaaaaaaa"},
    ),
    (
        "msig not privileged",
        lambda c: change(c.accounts["eosio.msig"], privileged=False),
        {"privileges": "eosio.msig is not"},
    ),
    (
        "a privileged user",
        lambda c: change(c.accounts["proda"], privileged=True),
        {"privileges": "proda is privileged"},
    ),
    ("inflation", _inflate, {"token supply": "supply is 1000000001.0000 SYS", "balances": "eosio holds"}),
    (
        "max supply",
        lambda c: change(c.tables["eosio.token", "SYS", "stat"][0], max_supply="9.0000 SYS"),
        {"token supply": "max_supply is 9.0000 SYS"},
    ),
    (
        "the issuer",
        lambda c: change(c.tables["eosio.token", "SYS", "stat"][0], issuer="proda"),
        {"token supply": "the issuer is proda"},
    ),
    ("another token", lambda c: c.tokens.append("EVIL"), {"token supply": "further tokens: EVIL"}),
    (
        "a transfer",
        lambda c: transfer(c, "useraaaaaaaa", "useraaaaaaab", 1),
        {"planned accounts": "2 of 8 differ from the plan right after a boot: useraaaaaaaa, useraaaaaaab"},
    ),
    (
        "a transfer from eosio to a new holder",
        all_of(lambda c: transfer(c, "eosio", "stranger", 5), lambda c: add_user(c, "stranger")),
        {"no other accounts": "1 unplanned accounts: stranger", "balances": "eosio holds"},
    ),
    ("an extra account", lambda c: add_user(c, "12345"), {"no other accounts": "12345"}),
    (
        "an extra system account",
        all_of(
            lambda c: add_user(c, "eosio.evil"),
            lambda c: set_authority(c, "eosio.evil", "owner", authority(accounts=("eosio",))),
            lambda c: set_authority(c, "eosio.evil", "active", authority(accounts=("eosio",))),
        ),
        {"no other accounts": "eosio.evil"},
    ),
    (
        "an account from before the system contract",
        _haunt,
        {"no other accounts": "ghost", "born: nothing else": "eosio::newaccount in the name of eosio"},
    ),
    (
        "blocks that the node lacks",
        lambda c: c.blocks.pop(5),
        {"no other accounts": "cannot be determined: the node has no block 5", "born: over": "the node has no block 5"},
    ),
    (
        "no system contract in the blocks",
        lambda c: c.blocks.update({6: [transaction(setcode("eosio", b"another"))]}),
        {
            "no other accounts": "no block up to 9 set the planned system contract",
            "born: actions": "code of the contract of eosio",
            "born: nothing else": "eosio::setcode in the name of eosio",
        },
    ),
    (
        "a missing account",
        lambda c: c.accounts.pop("useraaaaaaac"),
        {"planned accounts": "1 of 8 are missing: useraaaaaaac", "balances": "sum to"},
    ),
    ("a producer not registered", _unregister, {"producers": "proda is not registered"}),
    (
        "a producer nobody planned",
        add_producer,
        {"producers": "not planned: stranger", "no other accounts": "stranger"},
    ),
    (
        "an inactive producer",
        lambda c: change(row_of(c, "producers", "prode"), is_active=0),
        {"producers": "prode is registered, but inactive"},
    ),
    (
        "a signing key",
        lambda c: change(row_of(c, "producers", "proda"), producer_key=OTHER),
        {"producers": f"proda has signing key {OTHER}"},
    ),
    (
        "a signing authority",
        lambda c: change(row_of(c, "producers", "proda"), producer_authority=block_signing(OTHER)),
        {"producers": f"proda has signing authority {OTHER}"},
    ),
    ("a url", lambda c: change(row_of(c, "producers", "proda"), url="x"), {"producers": "proda has url 'x'"}),
    (
        "a location",
        lambda c: change(row_of(c, "producers", "proda"), location=99),
        {"producers": "proda has location 99"},
    ),
    (
        "no proxy",
        lambda c: change(row_of(c, "voters", "useraaaaaaaa"), is_proxy=0),
        {"proxies": "useraaaaaaaa is not a proxy"},
    ),
    (
        "a proxy more",
        lambda c: change(row_of(c, "voters", "prodb"), is_proxy=1),
        {"proxies": "prodb is a proxy, but not"},
    ),
    ("no vote", lambda c: change(row_of(c, "voters", "proda"), producers=[]), {"votes": "proda has not voted"}),
    (
        "another vote",
        lambda c: change(row_of(c, "voters", "proda"), producers=["prode"]),
        {"votes": "proda votes for prode"},
    ),
    (
        "another proxy chosen",
        lambda c: change(row_of(c, "voters", "useraaaaaaab"), proxy="prodb"),
        {"votes": "useraaaaaaab votes for proxy prodb, planned proxy useraaaaaaaa"},
    ),
    (
        "a vote more",
        lambda c: change(row_of(c, "voters", "prodb"), producers=["proda"]),
        {"votes": "not planned: prodb"},
    ),
    (
        "a producer less",
        _more_producers,
        {"schedule": "active is proda, prodb, prodc,", "producers' authority": "planned 3 of"},
    ),
    (
        "another schedule pending",
        lambda c: change(c.schedule, pending={"producers": [{"producer_name": "prode"}]}),
        {"schedule": "pending is another one: prode"},
    ),
    ("a key in the schedule", _swap_keys, {"signing keys": f"proda signs with {OTHER}"}),
    (
        "a system account with a key",
        lambda c: set_authority(c, "eosio.ram", "owner", authority((OTHER,))),
        {"system accounts": f"eosio.ram: owner is {OTHER}, planned eosio@active"},
    ),
    (
        "a missing system account",
        lambda c: c.accounts.pop("eosio.vpay"),
        {"system accounts": "eosio.vpay does not exist"},
    ),
    (
        "eosio with a key",
        lambda c: set_authority(c, "eosio", "active", authority((OTHER,))),
        {"eosio resigned": f"eosio: active is {OTHER}, planned eosio.prods@active"},
    ),
    (
        "eosio with a further permission",
        lambda c: c.accounts["eosio"]["permissions"].append(permission("back", "active", authority((OTHER,)))),
        {"eosio resigned": "eosio: has a further permission back"},
    ),
    (
        "too few producers suffice",
        lambda c: set_authority(c, "eosio.prods", "active", authority(accounts=ELECTED, threshold=2)),
        {"producers' authority": "eosio.prods: active is 2 of [proda@active, prodb@active"},
    ),
    (
        "no canary",
        lambda c: c.tables["eosio.token", "eosio.prods", "accounts"].clear(),
        {"canary": "no proposal was executed yet"},
    ),
    (
        "an approval by eosio from before",
        lambda chain: approve(chain, "eosio"),
        {"no old approvals": "useraaaaaaaa/back can be executed by an approval of eosio"},
    ),
    (
        "an approval after an invalidation",
        lambda chain: approve(chain, "eosio.token", "11"),
        {"no old approvals": "an approval of eosio.token"},
    ),
    (
        "an approval as the producers, from before there were any",
        lambda chain: approve(chain, "eosio.prods"),
        {"no old approvals": "an approval of eosio.prods"},
    ),
    (
        "a transaction with a delay",
        lambda chain: chain.scheduled.append(delayed("eosio")),
        {"no old approvals": "transaction dd was delayed, and will act as eosio"},
    ),
    ("a user's delayed transaction", lambda chain: chain.scheduled.append(delayed("useraaaaaaaa")), {}),
    ("what the system contract deferred", lambda chain: chain.scheduled.append(delayed("eosio", "eosio")), {}),
    ("an approval of an expired proposal", lambda chain: approve(chain, "eosio", expired=True), {}),
    ("an approval that was invalidated", lambda chain: approve(chain, "eosio", "13"), {}),
    ("an approval by a producer", lambda chain: approve(chain, "proda"), {}),
    (
        "a canary that somebody else paid",
        lambda c: change(c.tables["eosio.token", "eosio.prods", "accounts"][0], payer="eosio"),
        {"canary": "was paid by eosio"},
    ),
]


@pytest.mark.parametrize(("plant", "found"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED])
async def test_planted_difference(chain: FakeChain, plan: Blueprint, plant: Plant, found: dict[str, str]) -> None:
    """A planted difference fails the checks that it concerns, with a detail that names it, and no other."""
    plant(chain)
    report = await audit(chain, plan)
    failed = {check.name: check.detail for check in report.checks if not check.ok}
    assert failed.keys() == found.keys()
    for name, part in found.items():
        assert part in failed[name]
    born = {name for name in found if name == "chain id" or name.startswith("born: ")}
    assert (report.ok, report.born, report.unchanged) == (not born, not born, not found.keys() - born)


async def test_privileges_and_accounts_of_further_contracts(chain: FakeChain, plan: Blueprint) -> None:
    """A contract outside eosio.* may be privileged if that was sealed; its authority is eosio's, and nobody keeps an
    old approval by it.
    """
    contract = replace(plan.sealed.contracts[0], account="alice")
    sealed = replace(
        plan.sealed,
        contracts=(*plan.sealed.contracts, contract),
        system_accounts=(*plan.sealed.system_accounts, "alice"),
        privileged=("alice", "eosio.msig"),
    )
    eosio = authority(accounts=("eosio",))
    chain.accounts["alice"] = account("alice", eosio, eosio) | {"privileged": True}
    chain.contracts["alice"] = chain.contracts["eosio.token"]
    report = await audit(chain, replace(plan, sealed=sealed))
    checks = {check.name: check for check in report.checks}
    assert checks["privileges"].ok
    assert checks["privileges"].detail == "alice and eosio and eosio.msig only"
    assert checks["system accounts"].ok
    approve(chain, "alice")
    set_authority(chain, "alice", "owner", authority(accounts=("proda",)))
    report = await audit(chain, replace(plan, sealed=sealed))
    failed = {check.name: check.detail for check in report.checks if not check.ok}
    assert "alice: owner is proda@active" in failed["system accounts"]
    assert "an approval of alice" in failed["no old approvals"]
