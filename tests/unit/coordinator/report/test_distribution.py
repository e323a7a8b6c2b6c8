"""How an allocation is distributed, by numbers that were worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest

from antelope.keys import PrivateKey
from coordinator.report.distribution import EMPTY, Holder, distribution
from inventory.distribution import pareto
from inventory.names import user_name
from inventory.rows import Allocation, AllocationRow, pack_allocation

KEY = PrivateKey.generate().public


def allocation(*balances: int) -> Allocation:
    """Accounts with these balances, a part of each spent on everything."""
    rows = (
        AllocationRow(user_name(number), KEY, balance // 4, balance // 4, balance // 4, balance - 3 * (balance // 4))
        for number, balance in enumerate(balances)
    )
    return Allocation(pack_allocation(rows))


def test_equal_holders() -> None:
    """Everybody holds the same: the diagonal, and a coefficient of 0."""
    found = distribution(allocation(7, 7, 7, 7))
    assert found.gini == 0
    assert found.curve == ((0, 0), (0.25, 0.25), (0.5, 0.5), (0.75, 0.75), (1, 1))
    assert (found.accounts, found.total, found.median) == (4, 28, 7)
    assert [holder.account for holder in found.top] == [user_name(number) for number in range(4)]


def test_one_holder() -> None:
    """One of four holds everything: 1 - 1/n."""
    found = distribution(allocation(0, 100, 0, 0), top=1)
    assert found.gini == pytest.approx(0.75)
    assert found.curve[-2:] == ((0.75, 0), (1, 1))
    assert found.top == (Holder(user_name(1), 100),)
    assert found.richest == 1


def test_uneven_holders() -> None:
    """1, 2, 3, 4: the textbook's 0.25."""
    found = distribution(allocation(3, 1, 4, 2))
    assert found.gini == pytest.approx(0.25)
    assert found.curve == ((0, 0), (0.25, 0.1), (0.5, 0.3), (0.75, 0.6), (1, 1))
    assert found.median == 2
    assert [holder.balance for holder in found.top] == [4, 3, 2, 1]


@pytest.mark.parametrize("balances", [(), (0, 0)])
def test_nothing(balances: tuple[int, ...]) -> None:
    """No accounts, or no tokens: no numbers that divide by zero."""
    assert distribution(allocation(*balances)) == EMPTY


def test_the_tutorials_distribution() -> None:
    """3,000 accounts, Pareto with alpha 1.161: a curve without corners, and about 80 % in the hands of a fifth."""
    found = distribution(allocation(*pareto([1000] * 3000, 10**13, 1161, 1.161)))
    assert 0.6 < found.richest < 0.95
    assert found.curve[0] == (0, 0)
    assert found.curve[-1] == (1, 1)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found.curve))
    # The richest account alone may be a larger step; below it, no step along either axis is long.
    assert all(b[0] - a[0] < 0.03 and b[1] - a[1] < 0.08 for a, b in pairwise(found.curve[:-8]))
    assert sum(holder.balance for holder in found.top) < found.total
