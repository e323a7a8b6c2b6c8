"""Writes users' CSVs with unusual balances, quickly: the keys are points of the curve, without private keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from antelope.keys import PublicKey

_LETTERS = "abcdefghijklmnopqrstuvwxyz12345"
EVEN = "even"
BALANCES: Mapping[str, Callable[[int], int]] = {
    EVEN: lambda number: 100 + number % 977,
    "tiny": lambda number: 1,
    "few huge": lambda number: 40_000_000 if number % 10_000 == 0 else 2,
}
"""By the name of the shape: the whole tokens of the account with that number."""


def name(number: int) -> str:
    """An account's name."""
    text = ""
    for _ in range(9):
        number, digit = divmod(number, len(_LETTERS))
        text = _LETTERS[digit] + text
    return "odd" + text


def write_shape(path: Path, rows: int, shape: str = EVEN) -> None:
    """account, public key, balance; the same for the same rows and shape."""
    balance = BALANCES[shape]
    with path.open("w") as file:
        for number in range(rows):
            point = bytes((2 + number % 2,)) + hashlib.sha256(number.to_bytes(8, "little")).digest()
            tenths = 0 if shape == "tiny" else number % 10
            file.write(f"{name(number)},{PublicKey(point)},{balance(number)}.{tenths}000\n")
