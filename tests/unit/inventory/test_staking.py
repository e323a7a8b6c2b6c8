"""The split of balances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.network import StakeRule
from inventory.staking import Split, least, split

TUTORIAL = StakeRule(ram=1_000, minimum=4_500, liquid=90_000)
RULES = st.builds(StakeRule, *[st.integers(1, 10**9)] * 3)


def tutorial_split(funds: int) -> Split:
    """What createStakedAccounts of bios-boot-tutorial.py computes with min_stake 0.9 and max_unstaked 9."""
    minimum = min(funds - 1_000, 9_000)
    unstaked = min(funds - 1_000 - minimum, 90_000)
    stake = funds - 1_000 - unstaked
    net = round(stake / 2)
    return Split(1_000, net, stake - net, unstaked)


def test_tutorial_examples() -> None:
    """100 and 5 tokens are split as the tutorial's table says."""
    assert split(1_000_000, TUTORIAL) == Split(ram=1_000, cpu=454_500, net=454_500, liquid=90_000)
    assert split(50_000, TUTORIAL) == Split(ram=1_000, cpu=4_500, net=4_500, liquid=40_000)


@given(st.integers(10_000, 10**13))
def test_as_the_script(balance: int) -> None:
    """Every balance is split exactly as the tutorial's script splits it, odd units included."""
    assert split(balance, TUTORIAL) == tutorial_split(balance)


@given(RULES, st.integers(0, 1 << 61))
def test_nothing_is_lost(rule: StakeRule, above: int) -> None:
    """The parts add up, keep their limits, and CPU and NET differ by a unit at most."""
    balance = least(rule) + above
    parts = split(balance, rule)
    assert parts.ram + parts.net + parts.cpu + parts.liquid == balance
    assert parts.ram == rule.ram
    assert 0 <= parts.liquid <= rule.liquid
    assert min(parts.net, parts.cpu) >= rule.minimum
    assert abs(parts.net - parts.cpu) <= 1


def test_too_small() -> None:
    """A balance below RAM and least stake is refused, and the least one is not."""
    assert split(least(TUTORIAL), TUTORIAL) == Split(1_000, 4_500, 4_500, 0)
    with pytest.raises(ValueError, match="9999 units"):
        split(least(TUTORIAL) - 1, TUTORIAL)
