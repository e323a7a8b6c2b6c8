"""Random transfers between users, as in the tutorial: each of the smallest amount, drawn from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from antelope import actions
from antelope.asset import Asset, Symbol
from boot.step import Push

SMALLEST = 1
"""The amount in the symbol's smallest unit, as in the tutorial."""


SLICE_SECONDS = 0.25
"""Transfers of this many seconds are sent together."""


def slices(numbers: range, rate: float) -> Iterator[tuple[float, range]]:
    """Batches of transfers, each with the seconds after the start when it is sent. rate: transfers per second."""
    period = max(SLICE_SECONDS, 1 / rate)
    tick, sent = 0, 0
    while sent < len(numbers):
        due = min(len(numbers), math.floor(rate * period * (tick + 1) + 1e-9))
        if due > sent:
            yield tick * period, numbers[sent:due]
        tick, sent = tick + 1, due


def transfer(users: Sequence[str], seed: int, number: int, symbol: Symbol) -> Push:
    """The transfer of that number, the same for the same users and seed. users: at least two different ones."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
    sender, receiver = draw.sample(users, 2)
    memo = f"transfer {number} of seed {seed}"
    return Push(key(seed, number), (actions.transfer(sender, receiver, Asset(SMALLEST, symbol), memo),), sender)


def key(seed: int, number: int) -> str:
    """A transfer's key."""
    return f"{seed}/{number}"
