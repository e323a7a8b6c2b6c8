"""Balances from a seeded Pareto distribution, exact to the last unit.

The resulting allocation is an artifact. Others check its hash and never draw it again, so numpy may change.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np


def pareto(floors: Sequence[int], total: int, seed: int, alpha: float) -> array[int]:
    """One balance per floor, each at least its floor, adding up to the total. All in the smallest unit.

    As in the tutorial, the draws are sorted, richest first, and scaled to the total. A balance below its floor is
    raised to it, and the others share the rest in proportion. The remainder of rounding goes to the first.
    Raises ValueError when the floors alone exceed the total.
    """
    if not len(floors):
        return array("q")
    least = np.asarray(floors, dtype=np.int64)
    if sum(floors) > total:
        raise ValueError(f"{len(floors)} accounts need at least {sum(floors)} units, and there are {total}")
    draws = np.sort(np.random.default_rng(seed).pareto(alpha, len(floors)))[::-1]
    raised = np.zeros(len(floors), dtype=bool)
    balances = least.copy()
    while not raised.all():
        left = total - int(least[raised].sum(dtype=np.int64))
        weights = draws[~raised]
        # A float share of an int64 total: the rounding loss is made up for below.
        shares = np.floor(weights / weights.sum() * float(left)).astype(np.int64)
        below = shares < least[~raised]
        if not below.any():
            balances[~raised] = shares
            break
        raised[np.flatnonzero(~raised)[below]] = True
    balances[0] += total - int(balances.sum())
    drawn = array("q")
    drawn.frombytes(balances.tobytes())
    return drawn
