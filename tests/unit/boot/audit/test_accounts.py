"""Each way in which an account of the allocation can be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from boot.audit import audit
from boot.blueprint import Blueprint
from tests.unit.boot.audit.fake_chain import (
    FakeChain,
    authority,
    permission,
)
from tests.unit.boot.audit.planting import (
    OTHER,
    Plant,
    all_of,
    change,
    set_authority,
    transfer,
)


def _weight_two(c: FakeChain) -> None:
    required = c.accounts["useraaaaaaaa"]["permissions"][0]["required_auth"]
    required["keys"].append({"key": OTHER, "weight": 1})


def _resources(chain: FakeChain, **values: Any) -> None:
    chain.accounts["useraaaaaaaa"]["total_resources"].update(values)


SPOILT: list[tuple[str, Plant, str]] = [
    (
        "owner",
        lambda c: set_authority(c, "useraaaaaaaa", "owner", authority((OTHER,))),
        f"owner is {OTHER}, planned EOS",
    ),
    ("a second key", _weight_two, "active is 1 of [EOS"),
    (
        "a permission",
        lambda c: c.accounts["useraaaaaaaa"]["permissions"].append(permission("pay", "active", authority((OTHER,)))),
        "has a further permission pay",
    ),
    ("liquid", lambda c: transfer(c, "useraaaaaaaa", "eosio", 1), "liquid is 8.9999 SYS, planned 9.0000 SYS"),
    ("NET", lambda c: _resources(c, net_weight="1.0000 SYS"), "NET staked is 1.0000 SYS, planned 45.4500 SYS"),
    ("CPU", lambda c: _resources(c, cpu_weight="45.4501 SYS"), "CPU staked is 45.4501 SYS, planned 45.4500 SYS"),
    (
        "stake of somebody else's",
        lambda c: change(c.accounts["useraaaaaaaa"], self_delegated_bandwidth=None),
        "CPU staked by itself is 0.0000 SYS",
    ),
    ("a CPU limit", lambda c: change(c.accounts["useraaaaaaaa"], cpu_weight=-1), "CPU in force is -1 units"),
    (
        "RAM",
        all_of(lambda c: _resources(c, ram_bytes=6_900), lambda c: change(c.accounts["useraaaaaaaa"], ram_quota=8_300)),
        "RAM is 6900 bytes, 0.1000 SYS buys ",
    ),
    (
        "a RAM limit",
        lambda c: change(c.accounts["useraaaaaaaa"], ram_quota=-1),
        "RAM in force is -1 bytes, 8237 follow",
    ),
]


@pytest.mark.parametrize(("plant", "difference"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
async def test_wrong_account(chain: FakeChain, plan: Blueprint, plant: Plant, difference: str) -> None:
    """Every difference is reported with the account; the other accounts still match."""
    plant(chain)
    accounts = (await audit(chain, plan)).accounts
    assert [wrong.account for wrong in accounts.wrong] == ["useraaaaaaaa"]
    assert any(said.startswith(difference) for said in accounts.wrong[0].differences)
    assert (accounts.matched, accounts.missing) == (7, ())
