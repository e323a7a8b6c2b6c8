"""Balances by a seeded Pareto distribution, exact to the last unit.

The allocation that follows is an artifact which everybody hashes: nobody draws it again, so that numpy may change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pareto(floors: Sequence[int], total: int, seed: int, alpha: float) -> tuple[int, ...]:
    """One balance per floor, none below its floor, Σ == total.

    As in the tutorial the draws are sorted, the richest first, and scaled to the total; whoever is below the floor is
    raised to it, and the others share what is left in proportion. What rounding leaves over goes to the first.
    Raises ValueError when the floors alone are more than the total.
    """
    if not floors:
        return ()
    least = np.asarray(floors, dtype=np.int64)
    if sum(floors) > total:
        raise ValueError(f"{len(floors)} accounts need {sum(floors)} units at least, and there are {total}")
    draws = np.sort(np.random.default_rng(seed).pareto(alpha, len(floors)))[::-1]
    raised = np.zeros(len(floors), dtype=bool)
    balances = least.copy()
    while not raised.all():
        left = total - int(least[raised].sum(dtype=np.int64))
        weights = draws[~raised]
        # A float share of an int64 total: what it loses to rounding is evened out below.
        shares = np.floor(weights / weights.sum() * float(left)).astype(np.int64)
        below = shares < least[~raised]
        if not below.any():
            balances[~raised] = shares
            break
        raised[np.flatnonzero(~raised)[below]] = True
    balances[0] += total - sum(int(balance) for balance in balances)
    return tuple(int(balance) for balance in balances)
