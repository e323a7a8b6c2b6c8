"""The tutorial's split of a balance into RAM, NET, CPU and liquid tokens, in integers of the smallest unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inventory.network import StakeRule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Split:
    """The parts of one balance, in the smallest unit."""

    ram: int
    net: int
    cpu: int
    liquid: int


def least(rule: StakeRule) -> int:
    """The smallest balance that can be split."""
    return rule.ram + 2 * rule.minimum


def split(balance: int, rule: StakeRule) -> Split:
    """RAM first, then the minimum of CPU and NET, then liquid tokens up to their limit; the rest half CPU, half NET.

    An odd unit goes to whichever side makes NET even: the tutorial's script computes `round(stake / 2)`, and Python
    rounds halves to even. Raises ValueError when the balance is below `least`.
    """
    if balance < least(rule):
        raise ValueError(f"{balance} units do not cover RAM ({rule.ram}) and the minimum stake (2 x {rule.minimum})")
    liquid = min(balance - least(rule), rule.liquid)
    stake = balance - rule.ram - liquid
    half, odd = divmod(stake, 2)
    net = half + (odd and half % 2)
    return Split(rule.ram, net, stake - net, liquid)


def split_all(
    balances: NDArray[np.int64], rule: StakeRule
) -> tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """As `split`, for many balances at once: RAM, NET, CPU, liquid."""
    if len(balances) and int(balances.min()) < least(rule):
        split(int(balances.min()), rule)
    liquid = (balances - least(rule)).clip(max=rule.liquid)
    stake = balances - rule.ram - liquid
    half = stake >> 1
    net = half + (stake & half & 1)
    return rule.ram, net, stake - net, liquid
