"""The allocation artifact: a row of 74 bytes for each account, in the order of application, read in place.

A row: the account's name (8 bytes), its public key as the chain packs it (kind and 33 bytes), then what it spends on
RAM, NET and CPU and what it keeps liquid (8 bytes each, smallest units). All integers are little-endian. There is no
header: the length says how many rows there are. A row becomes an object only when it is asked for, so a million rows
take only the 74 MB of the artifact.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from antelope.errors import FormatError
from antelope.keys import PublicKey
from antelope.names import int_to_name, name_to_int

KEY_BYTES = 34
"""Of a packed K1 or R1 key: its kind, and the point."""
LAYOUT = struct.Struct(f"<Q{KEY_BYTES}s4q")
ROW_BYTES = LAYOUT.size
ARTIFACT_LIMIT = 256 << 20
"""Bytes of the largest file that agents fetch."""
MOST_ROWS = ARTIFACT_LIMIT // ROW_BYTES
"""Accounts that one allocation can hold: 3,627,506."""

Fields = tuple[int, bytes, int, int, int, int]
"""Name, packed key, RAM, NET, CPU, liquid: a row as it lies in the artifact."""


@dataclass(frozen=True)
class AllocationRow:
    """One account of the allocation; amounts in the smallest unit."""

    account: str
    key: PublicKey
    """Owner and active are this one key."""
    ram: int
    """Spent on RAM (`buyram`)."""
    net: int
    cpu: int
    liquid: int

    @property
    def total(self) -> int:
        """The tokens that eosio pays for the row."""
        return self.ram + self.net + self.cpu + self.liquid

    def pack(self) -> bytes:
        """74 bytes. Raises ValueError for a key that is neither K1 nor R1, or a number out of range."""
        key = self.key.pack()
        if len(key) != KEY_BYTES:
            raise ValueError(f"{self.account}: a WebAuthn key cannot be in an allocation")
        amounts = (self.ram, self.net, self.cpu, self.liquid)
        if any(not 0 <= amount < 1 << 62 for amount in amounts):
            raise ValueError(f"{self.account}: amounts must be between 0 and 2^62 - 1, not {amounts}")
        return LAYOUT.pack(name_to_int(self.account), key, *amounts)


class Allocation(Sequence[AllocationRow]):
    """The rows of an artifact, each made when it is asked for."""

    def __init__(self, artifact: bytes) -> None:
        """Raises ValueError when its length is not that of whole rows."""
        if len(artifact) % ROW_BYTES:
            raise ValueError(f"allocation: {len(artifact)} bytes are not whole rows of {ROW_BYTES}")
        self.artifact = artifact

    def __len__(self) -> int:
        return len(self.artifact) // ROW_BYTES

    @overload
    def __getitem__(self, index: int) -> AllocationRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[AllocationRow, ...]: ...
    def __getitem__(self, index: int | slice) -> AllocationRow | tuple[AllocationRow, ...]:
        """Raises IndexError, or ValueError if the bytes are not a row."""
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        return _row(self.fields(range(len(self))[index]))

    def __iter__(self) -> Iterator[AllocationRow]:
        return map(_row, self.every())

    def fields(self, index: int) -> Fields:
        """The bytes of a row in the artifact, unchecked."""
        found: Fields = LAYOUT.unpack_from(self.artifact, index * ROW_BYTES)
        return found

    def every(self, first: int = 0, last: int | None = None) -> Iterator[Fields]:
        """The bytes of the rows from first up to, but not including, last; unchecked."""
        end = len(self) if last is None else min(last, len(self))
        view = memoryview(self.artifact)[first * ROW_BYTES : end * ROW_BYTES]
        found: Iterator[Fields] = LAYOUT.iter_unpack(view)
        return found

    def account(self, index: int) -> str:
        """The name in a row."""
        return int_to_name(self.fields(index)[0])

    def find(self, account: str) -> AllocationRow | None:
        """The row of that account, found without decoding the others; None if there is none."""
        wanted = name_to_int(account).to_bytes(8, "little")
        at = self.artifact.find(wanted)
        while at >= 0:
            if at % ROW_BYTES == 0:
                return self[at // ROW_BYTES]
            at = self.artifact.find(wanted, at + 1)
        return None

    @property
    def total(self) -> int:
        """The tokens that eosio pays for all rows."""
        return sum(ram + net + cpu + liquid for _, _, ram, net, cpu, liquid in self.every())


def pack_allocation(rows: Iterable[AllocationRow]) -> bytes:
    """The allocation artifact. Raises ValueError as `AllocationRow.pack` does."""
    return b"".join(row.pack() for row in rows)


def _row(fields: Fields) -> AllocationRow:
    name, key, ram, net, cpu, liquid = fields
    if min(ram, net, cpu, liquid) < 0:
        raise ValueError("allocation: a row has a negative amount")
    try:
        return AllocationRow(int_to_name(name), PublicKey(key[1:], kind=key[0]), ram, net, cpu, liquid)
    except FormatError as error:
        raise ValueError(f"allocation: {error}") from error
