"""Reads a users' CSV in its simplest form, `account,EOS…,12.3456`, thousands of lines at a time.

Lines in other forms are not errors: `inventory.users_file` reads those one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antelope.asset import Symbol
from inventory.key_texts import DIGITS, decode

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PREFIX = np.frombuffer(b"EOS", dtype=np.uint8)
_LONGEST_NAME = 12
_MOST_DIGITS = 18
"""Maximum digits of a balance here: a number of so many digits is always below 2^62."""
_INVALID = 255
_CHARACTERS = np.full(256, _INVALID, dtype=np.uint8)
_CHARACTERS[np.frombuffer(b".12345abcdefghijklmnopqrstuvwxyz", dtype=np.uint8)] = np.arange(32, dtype=np.uint8)


@dataclass(frozen=True)
class Lines:
    """Some lines of a file, and the values of the plain ones."""

    starts: Numbers
    """Where each line begins, in the text that it was read from."""
    ends: Numbers
    """Before its end of line."""
    plain: Flags
    """Which lines the three columns hold."""
    names: NDArray[np.uint64]
    keys: Bytes
    balances: Numbers


def read_lines(text: bytes, symbol: Symbol, least: int) -> Lines:
    """The lines of a text that ends with an end of line. least: the smallest balance that is plain."""
    data = np.frombuffer(text, dtype=np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate(([0], breaks[:-1] + 1))
    ends = breaks - ((breaks > starts) & (data[breaks - 1] == ord("\r")))
    plain, first, second = _commas(data, starts, ends)
    plain &= second - first == 1 + len(_PREFIX) + DIGITS
    rows = np.flatnonzero(plain)
    names, named = _names(data, starts[rows], first[rows])
    keys, keyed = _keys(data, first[rows] + 1)
    balances, paid = _balances(data, second[rows] + 1, ends[rows], symbol)
    good = named & keyed & paid & (balances >= least)
    plain[rows[~good]] = False
    return Lines(starts, ends, plain, names[good], keys[good], balances[good])


def _commas(data: Bytes, starts: Numbers, ends: Numbers) -> tuple[Flags, Numbers, Numbers]:
    """Which lines have exactly two commas, and where these are."""
    commas = np.flatnonzero(data == ord(","))
    before = np.searchsorted(commas, starts)
    two = np.searchsorted(commas, ends) - before == 2
    padded = np.concatenate((commas, [0, 0]))
    return two, padded[before], padded[before + 1]


def _names(data: Bytes, starts: Numbers, ends: Numbers) -> tuple[NDArray[np.uint64], Flags]:
    """The names' values, and which of them an account may have."""
    values = np.zeros(len(starts), dtype=np.uint64)
    lengths = ends - starts
    good = (lengths >= 1) & (lengths <= _LONGEST_NAME)
    last = np.zeros(len(starts), dtype=np.uint8)
    for place in range(_LONGEST_NAME):
        there = place < lengths
        found = np.where(there, _CHARACTERS[data[np.minimum(starts + place, len(data) - 1)]], 0)
        good &= found != _INVALID
        last = np.where(there, found, last)
        values |= found.astype(np.uint64) << np.uint64(59 - 5 * place)
    system = data[starts[:, None] + np.arange(5)] == np.frombuffer(b"eosio", dtype=np.uint8)
    good &= (last != 0) & ~(system.all(axis=1))
    return values, good


def _keys(data: Bytes, starts: Numbers) -> tuple[Bytes, Flags]:
    prefixed = (data[starts[:, None] + np.arange(len(_PREFIX))] == _PREFIX).all(axis=1)
    keys, good = decode(data[(starts + len(_PREFIX))[:, None] + np.arange(DIGITS)])
    return keys, good & prefixed


def _balances(data: Bytes, starts: Numbers, ends: Numbers, symbol: Symbol) -> tuple[Numbers, Flags]:
    """Balances with all decimals, with or without the symbol's code."""
    code = np.frombuffer(f" {symbol.code}".encode(), dtype=np.uint8)
    tail = data[np.maximum(ends[:, None] - len(code) + np.arange(len(code)), 0)]
    ends = ends - len(code) * (tail == code).all(axis=1)
    point = symbol.precision + 1 if symbol.precision else 0
    lengths = ends - starts - (1 if point else 0)
    good = (lengths > symbol.precision) & (lengths <= _MOST_DIGITS)
    values = np.zeros(len(starts), dtype=np.int64)
    if point:
        good &= data[np.maximum(ends - point, 0)] == ord(".")
    scale = 1
    for place in range(_MOST_DIGITS):
        at = ends - 1 - place - (1 if point and place >= symbol.precision else 0)
        there = place < lengths
        digit = np.where(there, data[np.maximum(at, 0)] - np.uint8(ord("0")), 0)
        good &= digit <= 9
        values += digit.astype(np.int64) * scale
        scale *= 10
    return values, good
