"""nodeos' texts and numbers as the integers that the plan counts in."""

from __future__ import annotations

from typing import Any

from antelope.asset import Asset, Symbol
from antelope.errors import BadAsset


def units(text: Any, symbol: Symbol) -> int | None:
    """An asset's text in smallest units: 0 if absent, None if it has another symbol or is not an asset."""
    if text is None:
        return 0
    try:
        return Asset.parse(str(text), symbol).amount
    except BadAsset:
        return None


def money(amount: int, symbol: Symbol) -> str:
    """Smallest units as a text for people."""
    return str(Asset(amount, symbol))
