"""Packed transactions as blocks hold them, read without creating objects.

Format: packed_transaction and transaction, libraries/chain/include/eosio/chain/transaction.hpp of Leap.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from mmap import mmap
from typing import Any, NamedTuple

from antelope.errors import FormatError

HEADER = 10
"""Bytes: expiration, reference block."""
LARGEST = 8 << 20
"""Maximum size of a compressed transaction, in bytes, as in nodeos."""


class PackedAction(NamedTuple):
    """The position of an action in its transaction."""

    start: int
    contract: int
    """The contract's name, as a number."""
    name: int
    """The action's name, as a number."""
    actors: tuple[int, ...]
    """The names of the authorising accounts, as numbers."""
    data: int
    """Where its data begins."""
    end: int


class Receipt(NamedTuple):
    """A transaction of a block."""

    status: str
    """executed; delayed: signed now, to be executed later."""
    packed: bytes


def receipts(block: dict[str, Any]) -> Iterator[Receipt]:
    """The transactions of a raw block whose actions are in it. Left out are deferred ones, of which the block has only
    the id, and failed ones. Raises KeyError, TypeError, ValueError on anything that is not a block.
    """
    for receipt in block["transactions"]:
        kind, packed = receipt["trx"]
        if kind == 1 and receipt["status"] in ("executed", "delayed"):
            yield Receipt(receipt["status"], _unpacked(packed))


def _unpacked(packed: dict[str, Any]) -> bytes:
    data = bytes.fromhex(packed["packed_trx"])
    if packed["compression"] in ("none", 0):
        return data
    inflating = zlib.decompressobj()
    try:
        data = inflating.decompress(data, LARGEST)
    except zlib.error as error:
        raise FormatError(f"a compressed transaction is damaged: {error}") from error
    if inflating.unconsumed_tail:
        raise FormatError(f"a compressed transaction has more than {LARGEST} bytes")
    return data


def varuint(data: bytes | mmap, at: int) -> tuple[int, int]:
    """A variable-length number, and its end. Raises IndexError if the bytes end before it does."""
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value, shift = value & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
        shift += 7
        if shift > 28:
            raise FormatError("a number has more than 32 bits")


def first_action(data: bytes) -> tuple[int, int]:
    """How many actions a transaction has, and where the first begins."""
    _, at = varuint(data, HEADER)
    _, at = varuint(data, at + 1)
    free, at = varuint(data, at)
    for _ in range(free):
        at = read_action(data, at).end
    return varuint(data, at)


def read_action(data: bytes, at: int) -> PackedAction:
    """The action that begins there. Raises IndexError or FormatError if the bytes end before it does."""
    start, little = at, int.from_bytes
    levels, at = varuint(data, at + 16)
    if levels > len(data) // 16:
        raise FormatError("a transaction ends within an action")
    actors = tuple(little(data[place : place + 8], "little") for place in range(at, at + 16 * levels, 16))
    size, at = varuint(data, at + 16 * levels)
    if at + size > len(data):
        raise FormatError("a transaction ends within an action")
    contract, name = little(data[start : start + 8], "little"), little(data[start + 8 : start + 16], "little")
    return PackedAction(start, contract, name, actors, at, at + size)
