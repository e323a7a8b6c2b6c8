"""Reads the chain's state from a snapshot that nodeos writes: all accounts at once, instead of one call for each.

A snapshot is read once from front to back, in place. It has sections, each with its name, its size and its number of
rows; five of them are read. Format: libraries/chain/snapshot.cpp of Leap, and what FC_REFLECT lists of account_object,
account_metadata_object, snapshot_permission_object, table_id_object, key_value_object and resource_limits_object. If
the rows do not fill a section exactly, the snapshot is of another version, and `UnknownSnapshot` is raised.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boot.audit.packed import varuint

MAGIC = bytes.fromhex("5005513001000000")
_END = 0xFFFFFFFFFFFFFFFF
_DROP = 8 << 20
"""Bytes after which pages that were read are released, so that a file of gigabytes takes little memory."""

METADATA = struct.Struct("<QQQQQ32sqIBB")
"""account_metadata_object: name, four sequences, code's hash, when it was set (microseconds), flags, VM."""
LIMITS = struct.Struct("<Qqqq")
"""resource_limits_object: owner, NET and CPU weight, RAM bytes."""
_TABLE = struct.Struct("<QQQQIB")
"""Code, scope, table, payer, how many rows; then the first byte of a varuint, the number of rows that follow."""
_KEY_VALUE = struct.Struct("<QQB")
"""Primary key, payer, and the first byte of a varuint, the value's size."""
_MORE = 0x80
"""Set in a varuint's byte if another one follows. There are millions of them, and most have one byte."""
_PERMISSION = struct.Struct("<QQQqq")
_INDEXES = 5
"""Secondary indexes of a table; a row of each: primary key, payer, and a key of that many bytes."""
_NO_INDEXES = bytes(_INDEXES)
_SECONDARY = (8, 16, 32, 8, 16)
_ONE_KEY = 4 + 1 + 34 + 2 + 2
"""Bytes of an authority of one key."""

Take = Callable[[int, bytes], None]
"""Called with a row's primary key and value."""


class UnknownSnapshot(ValueError):
    """The file is not a snapshot, or is of an unknown version."""


@contextmanager
def opened(path: Path) -> Iterator[dict[str, Section]]:
    """A snapshot's sections by name, while it is open. Raises UnknownSnapshot, OSError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[: len(MAGIC)] != MAGIC:
            raise UnknownSnapshot(f"{path.name} is not a known snapshot")
        try:
            yield dict(_sections(data))
        except (struct.error, IndexError) as error:
            raise UnknownSnapshot(f"{path.name} is damaged, or of an unknown version") from error


class Section:
    """A part of a snapshot."""

    def __init__(self, data: mmap.mmap, name: str, rows: int, start: int, end: int) -> None:
        self._data, self._name, self._rows = data, name, rows
        self._start, self._end = start, end
        self._dropped = start

    def unpack(self, layout: struct.Struct) -> Iterator[tuple[Any, ...]]:
        """Rows of one size. Raises UnknownSnapshot."""
        if self._rows * layout.size != self._end - self._start:
            raise self._unknown()
        step = max(1, (1 << 20) // layout.size) * layout.size
        for at in range(self._start, self._end, step):
            yield from layout.iter_unpack(self._data[at : min(at + step, self._end)])
            if at - self._dropped > _DROP:
                self._drop(at)

    def accounts(self) -> Iterator[int]:
        """The names in account_object."""
        data, at = self._data, self._start
        for _ in range(self._rows):
            yield int.from_bytes(data[at : at + 8], "little")
            size, at = varuint(data, at + 12)
            at += size
            if at - self._dropped > _DROP:
                self._drop(at)
        self._finish(at)

    def permissions(self) -> Iterator[tuple[int, int, bytes]]:
        """Owner, name and packed authority of each permission."""
        data, at = self._data, self._start
        for _ in range(self._rows):
            _, owner, name, _, _ = _PERMISSION.unpack_from(data, at)
            start = at + _PERMISSION.size
            at = start + _ONE_KEY
            if data[start + 4] != 1 or data[start + 5] > 1 or data[at - 4 : at] != b"\1\0\0\0":
                at = self._authority(start)
            yield owner, name, data[start:at]
            if at - self._dropped > _DROP:
                self._drop(at)
        self._finish(at)

    def _authority(self, at: int) -> int:
        """The end of the authority that begins there."""
        data = self._data
        keys, at = varuint(data, at + 4)
        for _ in range(keys):
            kind, at = varuint(data, at)
            at += 33
            if kind == 2:  # WebAuthn: how the user was present, and the relying party
                size, at = varuint(data, at + 1)
                at += size
            at += 2
        accounts, at = varuint(data, at)
        waits, at = varuint(data, at + 18 * accounts)
        return at + 6 * waits

    def tables(self, wanted: Callable[[int, int, int], Take | None]) -> None:
        """Passes on tables' rows. wanted: the consumer of the rows of a code, scope and table; None to skip them."""
        data, at, end = self._data, self._start, self._end
        while at < end:
            code, scope, table, _, _, count = _TABLE.unpack_from(data, at)
            take = wanted(code, scope, table)
            at += _TABLE.size
            if count & _MORE:
                count, at = varuint(data, at - 1)
            for _ in range(count):
                key, _, size = _KEY_VALUE.unpack_from(data, at)
                at += _KEY_VALUE.size
                if size & _MORE:
                    size, at = varuint(data, at - 1)
                if take is not None:
                    take(key, data[at : at + size])
                at += size
            if data[at : at + _INDEXES] == _NO_INDEXES:
                at += _INDEXES
            else:
                for size in _SECONDARY:
                    count, at = varuint(data, at)
                    at += count * (16 + size)
            if at - self._dropped > _DROP:
                self._drop(at)
        self._finish(at)

    def _drop(self, at: int) -> None:
        """Releases the pages before this offset. Callers check `_DROP` themselves: a call for each row would cost."""
        page = mmap.PAGESIZE
        start, end = -(-self._dropped // page) * page, at // page * page
        self._data.madvise(mmap.MADV_DONTNEED, start, end - start)
        self._dropped = at

    def _finish(self, at: int) -> None:
        if at != self._end:
            raise self._unknown()

    def _unknown(self) -> UnknownSnapshot:
        return UnknownSnapshot(f"the section {self._name} of the snapshot is not of a version that is known here")


def _sections(data: mmap.mmap) -> Iterator[tuple[str, Section]]:
    at = len(MAGIC)
    try:
        while (size := int.from_bytes(data[at : at + 8], "little")) != _END:
            rows, named = int.from_bytes(data[at + 8 : at + 16], "little"), data.find(b"\0", at + 16)
            if not size or named < 0 or at + 8 + size > len(data):
                raise UnknownSnapshot("the snapshot ends within a section")
            name = data[at + 16 : named].decode()
            yield name, Section(data, name, rows, named + 1, at + 8 + size)
            at += 8 + size
    except UnicodeDecodeError as error:
        raise UnknownSnapshot("a section of the snapshot has no name") from error
