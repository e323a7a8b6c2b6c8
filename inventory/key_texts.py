"""Reads public keys in the form EOS…, thousands at a time: base58 and the ripemd160 checksum as operations on columns.

One by one, a key takes 8 µs, which is too long for a plan with a million keys. Keys in other forms are left to
`antelope.keys`, which also says what is wrong with a key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antelope.ripemd import CONSTANTS_LEFT, CONSTANTS_RIGHT, ORDER_LEFT, ORDER_RIGHT, SHIFTS, START

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]
Flags = NDArray[np.bool_]

DIGITS = 50
"""Base58 digits after EOS, always this many: 33 bytes that begin with 2 or 3, and the checksum's 4 bytes."""
_ALPHABET = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_NONE = 255
_VALUES = np.full(256, _NONE, dtype=np.uint8)
_VALUES[np.frombuffer(_ALPHABET, dtype=np.uint8)] = np.arange(58, dtype=np.uint8)
_GROUP = 5
"""Digits taken at a time: 58^5 is less than 2^30, so that products with 32-bit limbs fit 64 bits."""
_LIMBS = 10
_AT_ONCE = 8192
"""Keys at a time: the working columns stay in the processor's cache."""


def decode(texts: Bytes) -> tuple[Bytes, Flags]:
    """Keys from rows of 50 characters (without EOS): the packed keys (34 bytes a row), and which rows are valid."""
    keys = np.zeros((len(texts), 34), dtype=np.uint8)
    good = np.zeros(len(texts), dtype=np.bool_)
    for start in range(0, len(texts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        digits = _VALUES[texts[part]]
        raw = _raw(digits)
        point = raw[:, 3:36]
        fine = (digits != _NONE).all(axis=1) & (raw[:, :3] == 0).all(axis=1) & ((point[:, 0] | 1) == 3)
        good[part] = fine & (_ripemd160(point)[:, :4] == raw[:, 36:]).all(axis=1)
        keys[part, 1:] = point
    return keys, good


def _raw(digits: Bytes) -> Bytes:
    """The digits' numbers as 40 big-endian bytes. Anything that is not a digit gives an arbitrary number."""
    limbs = [np.zeros(len(digits), dtype=np.uint64) for _ in range(_LIMBS)]
    mask, shift, base = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(58**_GROUP)
    weights = np.array([58**place for place in range(_GROUP - 1, -1, -1)], dtype=np.uint64)
    for number, start in enumerate(range(0, DIGITS, _GROUP)):
        carry = digits[:, start : start + _GROUP].astype(np.uint64) @ weights
        for place in range(min(number + 1, _LIMBS)):
            value = limbs[place] * base + carry
            limbs[place], carry = value & mask, value >> shift
    return np.stack(limbs[::-1], axis=1).astype(">u4").view(np.uint8)


def _ripemd160(data: Bytes) -> Bytes:
    """RIPEMD-160 of rows of 33 bytes: 20 bytes a row. Algorithm and tables: antelope.ripemd."""
    block = np.zeros((len(data), 64), dtype=np.uint8)
    block[:, :33] = data
    block[:, 33] = 0x80
    words = np.ascontiguousarray(block.view("<u4").T).astype(np.uint32)
    words[14] = 33 * 8
    left, right = _line(words, right=False), _line(words, right=True)
    sums = [np.uint32(START[(i + 1) % 5]) + left[(i + 2) % 5] + right[(i + 3) % 5] for i in range(5)]
    return np.stack(sums, axis=1).astype("<u4").view(np.uint8)


def _line(words: Words, right: bool) -> list[Words]:
    orders, constants = (ORDER_RIGHT, CONSTANTS_RIGHT) if right else (ORDER_LEFT, CONSTANTS_LEFT)
    a, b, c, d, e = (np.full(words.shape[1], value, dtype=np.uint32) for value in START)
    for turn in range(5):
        kind = 4 - turn if right else turn
        for word in orders[turn]:
            sum_ = a + _mix(kind, b, c, d) + words[word] + np.uint32(constants[turn])
            a, b, c, d, e = e, _rotate(sum_, SHIFTS[turn][word]) + e, b, _rotate(c, 10), d
    return [a, b, c, d, e]


def _mix(kind: int, x: Words, y: Words, z: Words) -> Words:
    match kind:
        case 0:
            return x ^ y ^ z
        case 1:
            return (x & (y ^ z)) ^ z
        case 2:
            return (x | ~y) ^ z
        case 3:
            return (z & (x ^ y)) ^ y
        case _:
            return x ^ (y | ~z)


def _rotate(value: Words, count: int) -> Words:
    found: Words = (value << np.uint32(count)) | (value >> np.uint32(32 - count))
    return found
