"""The audit of a fake chain: as planned it passes, and each planted difference is found, by the right check alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antelope.errors import Busy, NodeError, Unreachable
from boot.audit import AuditError, Check, Observed, audit, render
from boot.audit.chain import IN_FLIGHT
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
    transaction,
    user,
)
from tests.unit.boot.audit.planned import CHAIN_ID, ELECTED, ROWS, blueprint, key, sha

OTHER = key("somebody else")


@pytest.fixture
def plan() -> Blueprint:
    """The sealed network."""
    return blueprint()


@pytest.fixture
def chain(plan: Blueprint) -> FakeChain:
    """A chain exactly as planned."""
    return FakeChain(plan)


def _row(chain: FakeChain, table: str, owner: str) -> dict[str, Any]:
    return next(row for row in chain.tables["eosio", "eosio", table] if row["owner"] == owner)


def _extra_user(chain: FakeChain, name: str) -> None:
    chain.accounts[name] = user(name, OTHER, OTHER, 0, 0)
    chain.resources.add(name)


def _set(target: Any, **values: Any) -> None:
    target.update(values)


def _permission(chain: FakeChain, name: str, wanted: str, required: dict[str, Any]) -> None:
    for entry in chain.accounts[name]["permissions"]:
        if entry["perm_name"] == wanted:
            entry["required_auth"] = required


def _move(chain: FakeChain, source: str, target: str, amount: int) -> None:
    chain.balances[source] = chain.balances.get(source, 0) - amount
    chain.balances[target] = chain.balances.get(target, 0) + amount


async def test_chain_as_planned(chain: FakeChain, plan: Blueprint) -> None:
    """A chain as planned passes every check, and the document has the promised form."""
    report = await audit(chain, plan)
    assert [check for check in report.checks if not check.ok] == []
    document = report.to_json()
    assert document["ok"] is True
    assert document["chain_id"] == CHAIN_ID
    assert document["block"] == {"num": 9, "id": "00000009" + 56 * "a"}
    assert document["accounts"] == {"planned": 8, "matched": 8, "missing": [], "wrong": []}
    assert all(set(check) == {"name", "ok", "detail"} for check in document["checks"])
    names = [check["name"] for check in document["checks"]]
    assert len(names) == len(set(names))


Plant = Callable[[FakeChain], object]


def _then(*plants: Plant) -> Plant:
    def all_of_them(chain: FakeChain) -> None:
        for plant in plants:
            plant(chain)

    return all_of_them


def _unregister(c: FakeChain) -> None:
    c.tables["eosio", "eosio", "producers"].pop(0)


def _new_producer(c: FakeChain) -> None:
    _extra_user(c, "stranger")
    row = _row(c, "producers", "proda") | {"owner": "stranger"}
    c.tables["eosio", "eosio", "producers"].append(row)


def _inflate(c: FakeChain) -> None:
    c.tables["eosio.token", "SYS", "stat"][0]["supply"] = money(10_000_000_010_000)
    c.balances["eosio"] += 10_000


def _more_producers(c: FakeChain) -> None:
    c.schedule["active"]["producers"].pop()


def _swap_keys(c: FakeChain) -> None:
    c.schedule["active"]["producers"][0]["authority"] = block_signing(OTHER)


def _weight_two(c: FakeChain) -> None:
    required = c.accounts["useraaaaaaaa"]["permissions"][0]["required_auth"]
    required["keys"].append({"key": OTHER, "weight": 1})


PLANTED: list[tuple[str, Plant, dict[str, str]]] = [
    ("another chain", lambda c: _set(c.info, chain_id="f" * 64), {"chain id": "ffff"}),
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
        lambda c: _set(c.parameters, max_transaction_delay=1),
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
        lambda c: _set(c.accounts["eosio.vpay"], last_code_update="2026-11-22T19:36:49.500"),
        {"no other code": "eosio.vpay has, or had, code"},
    ),
    (
        "code on a user",
        lambda c: _set(c.accounts["useraaaaaaaa"], last_code_update="2026-11-22T19:36:49.500"),
        {"no other code": "useraaaaaaaa"},
    ),
    (
        "msig not privileged",
        lambda c: _set(c.accounts["eosio.msig"], privileged=False),
        {"privileges": "eosio.msig is not"},
    ),
    ("a privileged user", lambda c: _set(c.accounts["proda"], privileged=True), {"privileges": "proda is privileged"}),
    ("inflation", _inflate, {"token supply": "supply is 1000000001.0000 SYS", "balances": "eosio holds"}),
    (
        "max supply",
        lambda c: _set(c.tables["eosio.token", "SYS", "stat"][0], max_supply="9.0000 SYS"),
        {"token supply": "max_supply is 9.0000 SYS"},
    ),
    (
        "the issuer",
        lambda c: _set(c.tables["eosio.token", "SYS", "stat"][0], issuer="proda"),
        {"token supply": "the issuer is proda"},
    ),
    ("another token", lambda c: c.tokens.append("EVIL"), {"token supply": "further tokens: EVIL"}),
    (
        "a transfer",
        lambda c: _move(c, "useraaaaaaaa", "useraaaaaaab", 1),
        {"planned accounts": "2 of 8 differ from the plan right after a boot: useraaaaaaaa, useraaaaaaab"},
    ),
    (
        "a transfer from eosio to a new holder",
        _then(lambda c: _move(c, "eosio", "stranger", 5), lambda c: _extra_user(c, "stranger")),
        {"no other accounts": "1 accounts that nobody planned: stranger", "balances": "eosio holds"},
    ),
    ("an extra account", lambda c: _extra_user(c, "12345"), {"no other accounts": "12345"}),
    (
        "an extra system account",
        _then(
            lambda c: _extra_user(c, "eosio.evil"),
            lambda c: _permission(c, "eosio.evil", "owner", authority(accounts=("eosio",))),
            lambda c: _permission(c, "eosio.evil", "active", authority(accounts=("eosio",))),
        ),
        {"no other accounts": "eosio.evil"},
    ),
    (
        "an account from before the system contract",
        lambda c: (
            c.blocks.update({5: [transaction(newaccount("ghost"))]}),
            c.accounts.update(ghost=account("ghost", authority((OTHER,)), authority((OTHER,)))),
        ),
        {"no other accounts": "ghost"},
    ),
    (
        "blocks that the node lacks",
        lambda c: c.blocks.pop(5),
        {"no other accounts": "cannot be told: the node has no block 5"},
    ),
    (
        "no system contract in the blocks",
        lambda c: c.blocks.update({6: [transaction(setcode("eosio", b"another"))]}),
        {"no other accounts": "no block up to 9 set the planned system contract"},
    ),
    (
        "a missing account",
        lambda c: c.accounts.pop("useraaaaaaac"),
        {"planned accounts": "1 of 8 are missing: useraaaaaaac", "balances": "sum to"},
    ),
    ("a producer not registered", _unregister, {"producers": "proda is not registered"}),
    (
        "a producer nobody planned",
        _new_producer,
        {"producers": "not planned: stranger", "no other accounts": "stranger"},
    ),
    (
        "an inactive producer",
        lambda c: _set(_row(c, "producers", "prode"), is_active=0),
        {"producers": "prode is registered, but inactive"},
    ),
    (
        "a signing key",
        lambda c: _set(_row(c, "producers", "proda"), producer_key=OTHER),
        {"producers": f"proda has signing key {OTHER}"},
    ),
    (
        "a signing authority",
        lambda c: _set(_row(c, "producers", "proda"), producer_authority=block_signing(OTHER)),
        {"producers": f"proda has signing authority {OTHER}"},
    ),
    ("a url", lambda c: _set(_row(c, "producers", "proda"), url="x"), {"producers": "proda has url 'x'"}),
    ("a location", lambda c: _set(_row(c, "producers", "proda"), location=99), {"producers": "proda has location 99"}),
    (
        "no proxy",
        lambda c: _set(_row(c, "voters", "useraaaaaaaa"), is_proxy=0),
        {"proxies": "useraaaaaaaa is no proxy"},
    ),
    ("a proxy more", lambda c: _set(_row(c, "voters", "prodb"), is_proxy=1), {"proxies": "prodb is a proxy, but not"}),
    ("no vote", lambda c: _set(_row(c, "voters", "proda"), producers=[]), {"votes": "proda has not voted"}),
    (
        "another vote",
        lambda c: _set(_row(c, "voters", "proda"), producers=["prode"]),
        {"votes": "proda votes for prode"},
    ),
    (
        "another proxy chosen",
        lambda c: _set(_row(c, "voters", "useraaaaaaab"), proxy="prodb"),
        {"votes": "useraaaaaaab votes for proxy prodb, planned proxy useraaaaaaaa"},
    ),
    ("a vote more", lambda c: _set(_row(c, "voters", "prodb"), producers=["proda"]), {"votes": "not planned: prodb"}),
    (
        "a producer less",
        _more_producers,
        {"schedule": "active is proda, prodb, prodc,", "producers' authority": "planned 3 of"},
    ),
    (
        "another schedule pending",
        lambda c: _set(c.schedule, pending={"producers": [{"producer_name": "prode"}]}),
        {"schedule": "pending is another one: prode"},
    ),
    ("a key in the schedule", _swap_keys, {"signing keys": f"proda signs with {OTHER}"}),
    (
        "a system account with a key",
        lambda c: _permission(c, "eosio.ram", "owner", authority((OTHER,))),
        {"system accounts": f"eosio.ram: owner is {OTHER}, planned eosio@active"},
    ),
    (
        "a missing system account",
        lambda c: c.accounts.pop("eosio.vpay"),
        {"system accounts": "eosio.vpay does not exist"},
    ),
    (
        "eosio with a key",
        lambda c: _permission(c, "eosio", "active", authority((OTHER,))),
        {"eosio resigned": f"eosio: active is {OTHER}, planned eosio.prods@active"},
    ),
    (
        "eosio with a further permission",
        lambda c: c.accounts["eosio"]["permissions"].append(permission("back", "active", authority((OTHER,)))),
        {"eosio resigned": "eosio: has a further permission back"},
    ),
    (
        "too few producers suffice",
        lambda c: _permission(c, "eosio.prods", "active", authority(accounts=ELECTED, threshold=2)),
        {"producers' authority": "eosio.prods: active is 2 of [proda@active, prodb@active"},
    ),
    (
        "no canary",
        lambda c: c.tables["eosio.token", "eosio.prods", "accounts"].clear(),
        {"canary": "no proposal was executed yet"},
    ),
    (
        "a canary that somebody else paid",
        lambda c: _set(c.tables["eosio.token", "eosio.prods", "accounts"][0], payer="eosio"),
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
    assert not report.ok


def _resources(chain: FakeChain, **values: Any) -> None:
    chain.accounts["useraaaaaaaa"]["total_resources"].update(values)


SPOILT: list[tuple[str, Plant, str]] = [
    ("owner", lambda c: _permission(c, "useraaaaaaaa", "owner", authority((OTHER,))), f"owner is {OTHER}, planned EOS"),
    ("a second key", _weight_two, "active is 1 of [EOS"),
    (
        "a permission",
        lambda c: c.accounts["useraaaaaaaa"]["permissions"].append(permission("pay", "active", authority((OTHER,)))),
        "has a further permission pay",
    ),
    ("liquid", lambda c: _move(c, "useraaaaaaaa", "eosio", 1), "liquid is 8.9999 SYS, planned 9.0000 SYS"),
    ("NET", lambda c: _resources(c, net_weight="1.0000 SYS"), "NET staked is 1.0000 SYS, planned 45.4500 SYS"),
    ("CPU", lambda c: _resources(c, cpu_weight="45.4501 SYS"), "CPU staked is 45.4501 SYS, planned 45.4500 SYS"),
    (
        "stake of somebody else's",
        lambda c: _set(c.accounts["useraaaaaaaa"], self_delegated_bandwidth=None),
        "CPU staked by itself is 0.0000 SYS",
    ),
    ("a CPU limit", lambda c: _set(c.accounts["useraaaaaaaa"], cpu_weight=-1), "CPU in force is -1 units"),
    (
        "RAM",
        _then(lambda c: _resources(c, ram_bytes=6_900), lambda c: _set(c.accounts["useraaaaaaaa"], ram_quota=8_300)),
        "RAM is 6900 bytes, 0.1000 SYS buys ",
    ),
    ("a RAM limit", lambda c: _set(c.accounts["useraaaaaaaa"], ram_quota=-1), "RAM in force is -1 bytes, 8237 follow"),
]


@pytest.mark.parametrize(("plant", "difference"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
async def test_wrong_account(chain: FakeChain, plan: Blueprint, plant: Plant, difference: str) -> None:
    """Whatever of a planned account differs is named with the account; the others still match."""
    plant(chain)
    accounts = (await audit(chain, plan)).accounts
    assert [wrong.account for wrong in accounts.wrong] == ["useraaaaaaaa"]
    assert any(said.startswith(difference) for said in accounts.wrong[0].differences)
    assert (accounts.matched, accounts.missing) == (7, ())


async def test_late_party_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """A party that came after the seal may have its account and register, where the caller says so."""
    _new_producer(chain)
    assert (await audit(chain, plan, observed=Observed(frozenset({"stranger"})))).ok


def _elect(chain: FakeChain, *names: str) -> None:
    """As a vote for parties beside the elected makes the chain."""
    for name in names:
        _set(_row(chain, "voters", "proda"), producers=sorted((*_row(chain, "voters", "proda")["producers"], name)))
        entry = {"producer_name": name, "authority": block_signing(_row(chain, "producers", name)["producer_key"])}
        chain.schedule["active"]["producers"].append(entry)
    active = tuple(sorted(str(entry["producer_name"]) for entry in chain.schedule["active"]["producers"]))
    for name, (part, whole) in {"active": (2, 3), "prod.major": (1, 2), "prod.minor": (1, 3)}.items():
        required = authority(accounts=active, threshold=len(active) * part // whole + 1)
        _permission(chain, "eosio.prods", name, required)


async def test_elected_party_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """Voted for and scheduled beside the elected, with the key that it registered."""
    _new_producer(chain)
    _elect(chain, "stranger")
    report = await audit(chain, plan, observed=Observed(frozenset({"stranger"})))
    assert [check.detail for check in report.checks if not check.ok] == []
    failed = {check.name for check in (await audit(chain, plan)).checks if not check.ok}
    assert failed == {"no other accounts", "producers", "votes", "schedule", "signing keys"}


async def test_an_upgrade_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """A contract that the producers replaced may be as they replaced it, code and ABI together, or as sealed."""
    code, abi = "c" * 64, chain.contracts["eosio"][1]
    upgraded = Observed(upgrades=frozenset({("eosio", code, sha(abi))}))
    assert (await audit(chain, plan, observed=upgraded)).ok
    chain.contracts["eosio"] = (code, abi)
    report = await audit(chain, plan, observed=upgraded)
    assert report.ok
    assert any(check.detail.endswith("as the producers replaced them: eosio") for check in report.checks)
    other = Observed(upgrades=frozenset({("eosio", code, "d" * 64), ("eosio.token", code, sha(abi))}))
    failed = {check.name for check in (await audit(chain, plan, observed=other)).checks if not check.ok}
    assert failed == {"contract code"}


async def test_a_party_in_anothers_place_is_a_difference(chain: FakeChain, plan: Blueprint) -> None:
    """As long as there is room for all, and with no key but its registered one."""
    _new_producer(chain)
    _elect(chain, "stranger")
    chain.schedule["active"]["producers"].pop(0)
    chain.schedule["active"]["producers"][-1]["authority"] = block_signing(OTHER[:-1] + "x")
    report = await audit(chain, plan, observed=Observed(frozenset({"stranger"})))
    assert {check.name for check in report.checks if not check.ok} == {
        "schedule", "signing keys", "producers' authority"
    }  # fmt: skip


async def test_chain_before_its_boot(chain: FakeChain, plan: Blueprint) -> None:
    """A chain with nothing on it but nodeos' own accounts fails the checks and raises nothing."""
    chain.accounts = {name: chain.accounts[name] for name in ("eosio", "eosio.null", "eosio.prods")}
    chain.tables, chain.balances, chain.resources, chain.tokens, chain.features = {}, {}, set(), [], []
    chain.contracts = {"eosio": ("0" * 64, b"")}
    chain.blocks = {number: [] for number in range(1, 10)}
    report = await audit(chain, plan)
    failed = {check.name for check in report.checks if not check.ok}
    assert {"contract code", "token supply", "planned accounts", "producers", "votes", "canary"} <= failed
    assert report.accounts.missing == tuple(row.account for row in ROWS)


@pytest.mark.parametrize("call", ["get_info", "get_account", "get_table_rows", "get_table_by_scope", "get_raw_block"])
@pytest.mark.parametrize("error", [Unreachable(0, None, "", "gone"), Busy(503, None, "", "busy")])
async def test_unreadable_chain(chain: FakeChain, plan: Blueprint, call: str, error: NodeError) -> None:
    """A read that fails ends the audit with one line that names it: it is no failed check."""
    chain.broken[call] = error
    with pytest.raises(AuditError, match=f"nothing was judged: {call}.*(gone|busy).*ask another node") as raised:
        await audit(chain, plan)
    assert "\n" not in str(raised.value)
    assert chain.in_flight == 0


@pytest.mark.parametrize("answer", [[], {}, {"rows": [{}], "more": False}, {"rows": None, "more": ""}])
async def test_malformed_answer(chain: FakeChain, plan: Blueprint, answer: Any) -> None:
    """A node that answers nonsense ends the audit with one line, not with a traceback of ours."""
    chain.broken["get_table_by_scope"] = answer
    with pytest.raises(AuditError, match="nothing was judged"):
        await audit(chain, plan)


async def test_pages_that_never_end(chain: FakeChain, plan: Blueprint) -> None:
    """A node whose pages do not move on cannot hold the audit for ever."""
    chain.broken["get_table_by_scope"] = {"rows": [], "more": "eosio"}
    with pytest.raises(AuditError, match="never end"):
        await audit(chain, plan)


async def test_missing_artifact(chain: FakeChain, plan: Blueprint) -> None:
    """An artifact that is not at hand is said before the chain is asked."""
    chain.broken["get_info"] = Unreachable(0, None, "", "gone")
    with pytest.raises(AuditError, match="sealed network is incomplete here"):
        await audit(chain, Blueprint(plan.sealed, dict[str, bytes]().__getitem__))


async def test_bounded_and_told(chain: FakeChain, plan: Blueprint) -> None:
    """Reads in flight are bounded, and progress ends at all of them."""
    told: list[tuple[int, int]] = []
    await audit(chain, plan, progress=lambda done, due: told.append((done, due)))
    assert 1 < chain.most_in_flight <= IN_FLIGHT
    assert told[-1][0] == told[-1][1] == len(told)


async def test_text(chain: FakeChain, plan: Blueprint) -> None:
    """The table has a line a check, the wrong account with its difference, and a last line that counts."""
    _move(chain, "useraaaaaaaa", "eosio", 1)
    report = await audit(chain, plan)
    lines = render(report)
    assert all("\n" not in line for line in lines)
    assert lines[0].startswith("ok    chain id")
    assert "      useraaaaaaaa: liquid is 8.9999 SYS, planned 9.0000 SYS" in lines
    assert lines[-1] == f"block 9: 7 of 8 accounts match; 2 of {len(report.checks)} checks found differences"
    assert isinstance(report.checks[0], Check)
