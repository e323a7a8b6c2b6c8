"""The range of RAM bytes against what the real system contract sold."""

from __future__ import annotations

import dataclasses

import pytest

from antelope.keys import PublicKey
from antelope.ram import fee
from boot.audit.ram import SLACK, bytes_range
from boot.blueprint import Blueprint
from inventory.names import user_name
from inventory.rows import AllocationRow, pack_allocation
from tests.unit.boot.audit.planned import blueprint, key, sha

KEY = PublicKey.parse(key("anybody"))
MARKET = 10_000_000_000_000 // 1000, 64 << 30
"""Quote and base of the RAM market after init with a supply of 1,000,000,000.0000."""


def _plan(amounts: list[int]) -> Blueprint:
    rows = [AllocationRow(user_name(number), KEY, amount, 0, 0, 0) for number, amount in enumerate(amounts)]
    allocation = pack_allocation(rows)
    sealed = dataclasses.replace(blueprint().sealed, allocation=sha(allocation), accounts=len(rows))
    return Blueprint(sealed, {sha(allocation): allocation}.__getitem__)


def _bought(amounts: list[int]) -> list[int]:
    """One after the other, as exchange_state::direct_convert of eosio.system computes it, in doubles."""
    quote, base = MARKET
    found = []
    for amount in amounts:
        paid = amount - fee(amount)
        out = int((float(paid) * base) / (float(quote) + paid))
        quote, base = quote + paid, base - out
        found.append(out)
    return found


def test_first_purchases_on_a_real_chain() -> None:
    """0.1000 of a supply of 1e9 bought 6837 bytes on real nodeos; 3,030 more such purchases hardly matter."""
    fewest, most = bytes_range(_plan([1000] * 3031))(1000)
    assert fewest <= 6837 <= most
    assert most - fewest < 12


@pytest.mark.parametrize("amounts", [[1000] * 50, [1, 2, 10_000_000, 5_000, 200], [10_000_000_000, 1000, 1000]])
@pytest.mark.parametrize("backwards", [False, True])
def test_any_order(amounts: list[int], backwards: bool) -> None:
    """Whatever the order, each purchase lies within its range; the first is at the top of it."""
    ordered = amounts[::-1] if backwards else amounts
    limits = bytes_range(_plan(amounts))
    bought = _bought(ordered)
    for amount, got in zip(ordered, bought, strict=True):
        fewest, most = limits(amount)
        assert fewest <= got <= most
    assert limits(ordered[0])[1] - bought[0] <= SLACK + 1
    assert bought[-1] - limits(ordered[-1])[0] <= SLACK + 2


def test_no_purchase() -> None:
    """A row without RAM has none."""
    assert bytes_range(_plan([0, 1000]))(0) == (0, 0)
