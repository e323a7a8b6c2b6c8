"""How an allocation is distributed among its accounts: Lorenz curve, Gini coefficient, top holders. Pure.

Imports numpy, which takes 0.1 s: commands that may not need it import this module late.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antelope.names import int_to_name
from inventory.rows import KEY_BYTES, ROW_BYTES, Allocation

TOP = 10
"""Number of holders that are named."""
POINTS = 48
"""Points of the curve along each axis: even steps along one alone would show a corner where the curve is steep."""
RICHEST = 0.2
"""The part of the accounts whose share is told: the Pareto distribution's 20 % who hold 80 %."""

_ROW = np.dtype(
    [("name", "<u8"), ("key", f"V{KEY_BYTES}"), ("ram", "<i8"), ("net", "<i8"), ("cpu", "<i8"), ("liquid", "<i8")]
)
assert _ROW.itemsize == ROW_BYTES  # noqa: S101 (the layout of inventory.rows)


@dataclass(frozen=True)
class Holder:
    """An account and what it gets, in the smallest unit."""

    account: str
    balance: int


@dataclass(frozen=True)
class Distribution:
    """Who holds how much. Balances are in the smallest unit, shares between 0 and 1."""

    accounts: int
    total: int
    median: int
    gini: float
    """0 if all hold the same, close to 1 if one holds everything."""
    richest: float
    """The share of the tokens that the richest fifth of the accounts holds."""
    curve: tuple[tuple[float, float], ...]
    """The Lorenz curve: the poorest x of the accounts hold y of the tokens. From (0, 0) to (1, 1)."""
    top: tuple[Holder, ...]
    """The largest holders, richest first; equal ones in the allocation's order."""


EMPTY = Distribution(0, 0, 0, 0.0, 0.0, ((0.0, 0.0), (1.0, 1.0)), ())


def distribution(allocation: Allocation, top: int = TOP) -> Distribution:
    """The distribution of what each account gets: RAM, NET, CPU and liquid tokens together."""
    rows = np.frombuffer(allocation.artifact, dtype=_ROW)
    balances = rows["ram"] + rows["net"] + rows["cpu"] + rows["liquid"]
    if not len(balances) or not balances.any():
        return EMPTY
    largest = np.argsort(-balances, kind="stable")[:top]
    holders = tuple(Holder(int_to_name(int(rows["name"][one])), int(balances[one])) for one in largest)
    ordered = np.sort(balances)
    held = np.concatenate(([0], np.cumsum(ordered, dtype=np.int64)))
    count, total = len(ordered), int(held[-1])
    poor = count - max(1, round(count * RICHEST))
    return Distribution(
        accounts=count,
        total=total,
        median=int(ordered[count // 2]) if count % 2 else int(ordered[count // 2 - 1 : count // 2 + 1].sum()) // 2,
        gini=_gini(ordered),
        richest=1 - int(held[poor]) / total,
        curve=_curve(held),
        top=holders,
    )


def _gini(ordered: NDArray[np.int64]) -> float:
    """https://en.wikipedia.org/wiki/Gini_coefficient, from values in ascending order."""
    count, values = len(ordered), ordered.astype(np.float64)
    ranks = np.arange(1, count + 1, dtype=np.float64)
    return max(0.0, float(2 * (ranks @ values) / (count * values.sum()) - (count + 1) / count))


def _curve(held: NDArray[np.int64]) -> tuple[tuple[float, float], ...]:
    """held: what the poorest 0, 1, 2, … accounts hold together."""
    count, total = len(held) - 1, int(held[-1])
    across = np.linspace(0, count, POINTS + 1).round().astype(np.int64)
    upwards = np.searchsorted(held, np.linspace(0, total, POINTS + 1))
    places = np.unique(np.concatenate((across, np.clip(upwards, 0, count))))
    return tuple((round(int(place) / count, 5), round(int(held[place]) / total, 5)) for place in places)
