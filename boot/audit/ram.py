"""Computes how many bytes a purchase of RAM may have bought.

`buyram` follows a Bancor curve, so that each purchase makes the next dearer. The order of the allocation's rows is not
fixed, so a row's bytes lie between what its amount buys first and what it buys last.
"""

from __future__ import annotations

from collections.abc import Callable

from antelope.ram import RamMarket, fee
from boot.blueprint import Blueprint

SLACK = 2
"""Bytes: the contract rounds each purchase down and computes in doubles."""


def bytes_range(blueprint: Blueprint) -> Callable[[int], tuple[int, int]]:
    """The fewest and the most bytes that a row's amount buys."""
    market = RamMarket.at_init(blueprint.sealed.issue)
    for_sale, quote = market.base_balance, market.quote_balance
    paid = sum(ram - fee(ram) for _, _, ram, *_ in blueprint.rows.every())

    def fewest_and_most(amount: int) -> tuple[int, int]:
        own = amount - fee(amount)
        others = paid - own
        most = for_sale * own // (quote + own) if own else 0
        fewest = for_sale * quote * own // ((quote + others) * (quote + others + own)) if own else 0
        return max(fewest - SLACK, 0), most + SLACK if own else 0

    return fewest_and_most
