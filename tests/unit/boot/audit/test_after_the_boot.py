"""Changes that parties and producers may make after the boot are not differences; other changes are."""

from __future__ import annotations

from boot.audit import Observed, audit
from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import (
    FakeChain,
    authority,
    block_signing,
)
from tests.unit.boot.audit.planned import sha
from tests.unit.boot.audit.planting import (
    OTHER,
    add_producer,
    change,
    row_of,
    set_authority,
)


async def test_late_party_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """A party that joined after the seal may have an account and register, if the caller knows of it."""
    add_producer(chain)
    assert (await audit(chain, plan, observed=Observed(frozenset({"stranger"})))).ok


def _elect(chain: FakeChain, *names: str) -> None:
    """As a vote for parties beside the elected makes the chain."""
    for name in names:
        change(
            row_of(chain, "voters", "proda"), producers=sorted((*row_of(chain, "voters", "proda")["producers"], name))
        )
        entry = {"producer_name": name, "authority": block_signing(row_of(chain, "producers", name)["producer_key"])}
        chain.schedule["active"]["producers"].append(entry)
    active = tuple(sorted(str(entry["producer_name"]) for entry in chain.schedule["active"]["producers"]))
    for name, (part, whole) in {"active": (2, 3), "prod.major": (1, 2), "prod.minor": (1, 3)}.items():
        required = authority(accounts=active, threshold=len(active) * part // whole + 1)
        set_authority(chain, "eosio.prods", name, required)


async def test_elected_party_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """It is voted for and scheduled in addition to the elected, with the key that it registered."""
    add_producer(chain)
    _elect(chain, "stranger")
    report = await audit(chain, plan, observed=Observed(frozenset({"stranger"})))
    assert [check.detail for check in report.checks if not check.ok] == []
    failed = {check.name for check in (await audit(chain, plan)).checks if not check.ok}
    assert failed == {"no other accounts", "producers", "votes", "schedule", "signing keys"}


async def test_a_party_that_left_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """unregprod empties its key in the table; a schedule without a replacement keeps it with its former key."""
    add_producer(chain)
    _elect(chain, "stranger")
    change(
        row_of(chain, "producers", "stranger"), is_active=0, producer_key="EOS1111111111111111111111111111111114T1Anm"
    )
    report = await audit(chain, plan, observed=Observed(frozenset({"stranger"})))
    assert [check.detail for check in report.checks if not check.ok] == []


async def test_an_upgrade_is_no_difference(chain: FakeChain, plan: Blueprint) -> None:
    """A replaced contract may be as the producers replaced it, code and ABI together, or as sealed."""
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
    """A party is lawful only if there is room for all, and with its registered key."""
    add_producer(chain)
    _elect(chain, "stranger")
    chain.schedule["active"]["producers"].pop(0)
    chain.schedule["active"]["producers"][-1]["authority"] = block_signing(OTHER[:-1] + "x")
    report = await audit(chain, plan, observed=Observed(frozenset({"stranger"})))
    assert {check.name for check in report.checks if not check.ok} == {
        "schedule", "signing keys", "producers' authority"
    }  # fmt: skip
