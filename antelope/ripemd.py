"""RIPEMD-160, the checksum in the text form of keys: from OpenSSL if it has it, else computed here.

OpenSSL 3 has it in its legacy provider, which many hosts do not load.
Algorithm: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD", 1996.
"""

from __future__ import annotations

import hashlib
import struct
from itertools import pairwise

_MASK = 0xFFFFFFFF
CONSTANTS_LEFT = (0x00000000, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
CONSTANTS_RIGHT = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0x00000000)
_RHO = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
SHIFTS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)


def _word_orders(first: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    orders = [first]
    for _ in range(4):
        orders.append(tuple(_RHO[word] for word in orders[-1]))
    return tuple(orders)


START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
ORDER_LEFT = _word_orders(tuple(range(16)))
ORDER_RIGHT = _word_orders(tuple((9 * i + 5) % 16 for i in range(16)))


def _mix(kind: int, x: int, y: int, z: int) -> int:
    match kind:
        case 0:
            return x ^ y ^ z
        case 1:
            return (x & y) | (~x & z)
        case 2:
            return (x | ~y) ^ z
        case 3:
            return (x & z) | (y & ~z)
        case _:
            return x ^ (y | ~z)


def _rotate(value: int, count: int) -> int:
    value &= _MASK
    return (value << count | value >> (32 - count)) & _MASK


def _line(state: tuple[int, ...], words: tuple[int, ...], right: bool) -> tuple[int, ...]:
    """One of the two parallel lines of five rounds over a block."""
    a, b, c, d, e = state
    orders, constants = (ORDER_RIGHT, CONSTANTS_RIGHT) if right else (ORDER_LEFT, CONSTANTS_LEFT)
    for turn in range(5):
        kind = 4 - turn if right else turn
        for word in orders[turn]:
            sum_ = a + _mix(kind, b, c, d) + words[word] + constants[turn]
            a, b, c, d, e = e, (_rotate(sum_, SHIFTS[turn][word]) + e) & _MASK, b, _rotate(c, 10), d
    return a, b, c, d, e


def ripemd160_pure(data: bytes) -> bytes:
    """RIPEMD-160 in pure Python."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack("<Q", 8 * len(data))
    state: tuple[int, ...] = START
    for start, end in pairwise(range(0, len(padded) + 1, 64)):
        words = struct.unpack("<16I", padded[start:end])
        left, right = _line(state, words, right=False), _line(state, words, right=True)
        state = tuple((state[(i + 1) % 5] + left[(i + 2) % 5] + right[(i + 3) % 5]) & _MASK for i in range(5))
    return struct.pack("<5I", *state)


def _openssl_has_it() -> bool:
    try:
        hashlib.new("ripemd160", usedforsecurity=False)
    except ValueError:
        return False
    return True


_OPENSSL_HAS_IT = _openssl_has_it()


def ripemd160(data: bytes) -> bytes:
    """RIPEMD-160 of the data, 20 bytes."""
    if _OPENSSL_HAS_IT:
        return hashlib.new("ripemd160", data, usedforsecurity=False).digest()
    return ripemd160_pure(data)
