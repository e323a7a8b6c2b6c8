"""The Pareto distribution."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.distribution import pareto


@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=60),
    st.integers(0, 1 << 61),
    st.integers(0, 2**64),
    st.floats(0.2, 50),
)
def test_exact(floors: list[int], above: int, seed: int, alpha: float) -> None:
    """The drawn balances always add up to the total exactly, and none is below its floor."""
    total = sum(floors) + above
    balances = pareto(floors, total, seed, alpha)
    assert sum(balances) == total
    assert all(balance >= floor for balance, floor in zip(balances, floors, strict=True))


def test_shape() -> None:
    """3,000 users: the first is the richest, and a fifth holds about four fifths; the same seed draws the same."""
    balances = pareto([10_000] * 3_000, 10**13, 7, 1.161)
    assert balances == pareto([10_000] * 3_000, 10**13, 7, 1.161)
    assert balances != pareto([10_000] * 3_000, 10**13, 8, 1.161)
    assert list(balances) == sorted(balances, reverse=True)
    assert 0.6 < sum(balances[:600]) / 10**13 < 0.95


def test_raised() -> None:
    """Producers at the poor end are raised to their minimum."""
    balances = pareto([10_000] * 3_000 + [10_000_000_000] * 30, 10**13, 1, 1.161)
    assert balances[-30:].tolist() == [10_000_000_000] * 30
    assert sum(balances) == 10**13


def test_not_enough() -> None:
    """Floors beyond the total are refused."""
    with pytest.raises(ValueError, match="2 accounts need at least 10 units"):
        pareto([5, 5], 9, 1, 1.161)
