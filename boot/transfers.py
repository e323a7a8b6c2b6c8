"""Random transfers between users, as in the tutorial: of the smallest amount, drawn by a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

from antelope import actions
from antelope.asset import Asset, Symbol
from boot.step import Push

SMALLEST = 1
"""Of the symbol's smallest unit, as the tutorial's own."""


SLICE_SECONDS = 0.25
"""Seconds of transfers that are sent at once: the grain of their spread."""


def slices(numbers: range, rate: float) -> Iterator[tuple[float, range]]:
    """Seconds after the start, and the transfers that are sent then. rate: how many a second."""
    period = max(SLICE_SECONDS, 1 / rate)
    tick, sent = 0, 0
    while sent < len(numbers):
        due = min(len(numbers), math.floor(rate * period * (tick + 1) + 1e-9))
        if due > sent:
            yield tick * period, numbers[sent:due]
        tick, sent = tick + 1, due


def transfer(users: Sequence[str], seed: int, number: int, symbol: Symbol) -> Push:
    """The transfer of that number: the same for the same users and seed. users: two at least, each once."""
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 (no secret)
    sender, receiver = draw.sample(users, 2)
    memo = f"transfer {number} of seed {seed}"
    return Push(key(seed, number), (actions.transfer(sender, receiver, Asset(SMALLEST, symbol), memo),), sender)


def key(seed: int, number: int) -> str:
    """A transfer's key."""
    return f"{seed}/{number}"
