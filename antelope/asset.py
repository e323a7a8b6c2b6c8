"""Token symbols and amounts, as integers in the smallest unit.

Format: libraries/chain/include/eosio/chain/{symbol,asset}.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from antelope.errors import BadAsset, brief

MAX_AMOUNT = (1 << 62) - 1
MAX_PRECISION = 18
_CODE = re.compile(r"[A-Z]{1,7}", re.ASCII)
_ASSET = re.compile(r"(-?)(\d+)(?:\.(\d+))? ([A-Z]{1,7})", re.ASCII)
_SYMBOL = re.compile(r"(\d{1,2}),([A-Z]{1,7})", re.ASCII)


@lru_cache(maxsize=64)
def pack_symbol_code(code: str) -> bytes:
    """A symbol code as 8 bytes. Raises BadAsset."""
    if _CODE.fullmatch(code) is None:
        raise BadAsset(f"symbol code {code!r} is not 1 to 7 capital letters")
    return code.encode().ljust(8, b"\0")


def unpack_symbol_code(data: bytes) -> str:
    """The symbol code in 8 (or, within a symbol, 7) packed bytes. Raises BadAsset."""
    code = data.rstrip(b"\0").decode("ascii", "replace")
    if _CODE.fullmatch(code) is None:
        raise BadAsset(f"packed symbol code {data.hex()} is not 1 to 7 capital letters")
    return code


@dataclass(frozen=True, slots=True)
class Symbol:
    """A token's code and precision: how many decimals its amounts have, 0 to 18."""

    precision: int
    code: str

    def __post_init__(self) -> None:
        if not 0 <= self.precision <= MAX_PRECISION:
            raise BadAsset(f"precision {self.precision} of {self.code!r} is not between 0 and {MAX_PRECISION}")
        if _CODE.fullmatch(self.code) is None:
            raise BadAsset(f"symbol code {self.code!r} is not 1 to 7 capital letters")

    @classmethod
    def parse(cls, text: str) -> Symbol:
        """A symbol from a string like "4,SYS". Raises BadAsset."""
        match = _SYMBOL.fullmatch(text)
        if match is None:
            raise BadAsset(f"{brief(text)} is not a symbol like '4,SYS'")
        return cls(int(match[1]), match[2])

    @classmethod
    def unpack(cls, data: bytes) -> Symbol:
        """A symbol from 8 bytes. Raises BadAsset."""
        return cls(data[0], unpack_symbol_code(data[1:8]))

    def pack(self) -> bytes:
        """8 bytes: the precision, then the code."""
        return _pack_symbol(self.precision, self.code)

    def __str__(self) -> str:
        return f"{self.precision},{self.code}"


@lru_cache(maxsize=64)
def _pack_symbol(precision: int, code: str) -> bytes:
    return bytes((precision,)) + code.encode().ljust(7, b"\0")


@dataclass(frozen=True, slots=True)
class Asset:
    """An amount of a token, in its smallest unit (10^-precision), within ±(2^62 - 1)."""

    amount: int
    symbol: Symbol

    def __post_init__(self) -> None:
        if not -MAX_AMOUNT <= self.amount <= MAX_AMOUNT:
            raise BadAsset(f"{self.amount} units of {self.symbol.code} are beyond ±(2^62 - 1)")

    @classmethod
    def parse(cls, text: str, symbol: Symbol | None = None) -> Asset:
        """An asset from a string like "1.0000 SYS". symbol: the only one accepted, if given. Raises BadAsset."""
        match = _ASSET.fullmatch(text)
        if match is None:
            raise BadAsset(f"{brief(text)} is not an asset like '1.0000 SYS'")
        sign, whole, fraction, code = match[1], match[2], match[3] or "", match[4]
        found = Symbol(len(fraction), code)
        if symbol is not None and found != symbol:
            raise BadAsset(f"{brief(text)} has symbol {found}, expected {symbol}: write it like '{cls(0, symbol)}'")
        if len(whole) + len(fraction) > 40:
            raise BadAsset(f"{text[:60]!r} is beyond ±(2^62 - 1) units")
        return cls(int(sign + whole + fraction), found)

    @classmethod
    def unpack(cls, data: bytes) -> Asset:
        """An asset from 16 bytes. Raises BadAsset."""
        return cls(int.from_bytes(data[:8], "little", signed=True), Symbol.unpack(data[8:16]))

    def pack(self) -> bytes:
        """16 bytes: the amount, then the symbol."""
        return self.amount.to_bytes(8, "little", signed=True) + _pack_symbol(self.symbol.precision, self.symbol.code)

    def _same(self, other: Asset) -> None:
        if other.symbol != self.symbol:
            raise BadAsset(f"{self} and {other} have different symbols")

    def __add__(self, other: Asset) -> Asset:
        self._same(other)
        return Asset(self.amount + other.amount, self.symbol)

    def __sub__(self, other: Asset) -> Asset:
        self._same(other)
        return Asset(self.amount - other.amount, self.symbol)

    def __str__(self) -> str:
        precision, sign = self.symbol.precision, "-" if self.amount < 0 else ""
        digits = str(abs(self.amount)).rjust(precision + 1, "0")
        if not precision:
            return f"{sign}{digits} {self.symbol.code}"
        return f"{sign}{digits[:-precision]}.{digits[-precision:]} {self.symbol.code}"
