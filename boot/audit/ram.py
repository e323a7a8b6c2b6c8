"""How many bytes a purchase of RAM may have bought.

`buyram` follows a Bancor curve, so that each purchase makes the next dearer. Nobody fixes the order of the allocation,
hence a row's bytes lie between what its amount buys first and what it buys after all the others.
"""

from __future__ import annotations

from collections.abc import Callable

from boot.blueprint import Blueprint

MAX_RAM = 64 << 30
"""Bytes for sale after `init` (eosio_global_state::max_ram_size of eosio.system)."""
QUOTE_SHARE = 1000
"""`init` puts supply / 1000 on the other side of the market."""
SLACK = 2
"""Bytes: the contract rounds each purchase down and computes in doubles."""


def after_fee(amount: int) -> int:
    """What of an amount buys RAM: the fee is 0.5 %, rounded up (system_contract::buyram)."""
    return amount - (amount + 199) // 200


def bytes_range(blueprint: Blueprint) -> Callable[[int], tuple[int, int]]:
    """For a row's amount the fewest and the most bytes that it buys."""
    quote = blueprint.sealed.issue // QUOTE_SHARE
    paid = sum(after_fee(row.ram) for row in blueprint.rows)

    def fewest_and_most(amount: int) -> tuple[int, int]:
        own = after_fee(amount)
        others = paid - own
        most = MAX_RAM * own // (quote + own) if own else 0
        fewest = MAX_RAM * quote * own // ((quote + others) * (quote + others + own)) if own else 0
        return max(fewest - SLACK, 0), most + SLACK if own else 0

    return fewest_and_most
