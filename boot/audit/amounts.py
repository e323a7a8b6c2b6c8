"""nodeos' texts and numbers as the integers that the plan counts in."""

from __future__ import annotations

from typing import Any

from antelope.asset import Asset, Symbol
from antelope.errors import BadAsset


def units(text: Any, symbol: Symbol) -> int | None:
    """Smallest units of an asset's text; absent is 0, another symbol or no asset None."""
    if text is None:
        return 0
    try:
        return Asset.parse(str(text), symbol).amount
    except BadAsset:
        return None


def money(amount: int, symbol: Symbol) -> str:
    """Smallest units as a person reads them."""
    return str(Asset(amount, symbol))
