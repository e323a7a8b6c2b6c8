"""Millions of accounts as columns of plain numbers. A row is made only when it is asked for."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from antelope.errors import BadName
from antelope.keys import PublicKey
from antelope.names import int_to_name, name_to_int

_AT_ONCE = 1 << 20
"""Bytes that are searched at a time."""
KEY_BYTES = 34
"""A public key as the chain packs it: its kind, then 33 bytes."""


@dataclass(frozen=True)
class UserRow:
    """A staked account from a CSV file, with its one public key (EOS…) and its balance in the smallest unit."""

    account: str
    key: str
    balance: int


@dataclass(frozen=True)
class Columns:
    """Names as the chain's 64-bit values, packed keys one after the other, balances in the smallest unit."""

    names: array[int]
    keys: bytes
    balances: array[int]

    @classmethod
    def of(cls, names: bytes, keys: bytes, balances: bytes) -> Columns:
        """From the columns' bytes, in this machine's order."""
        found = cls(array("Q"), keys, array("q"))
        found.names.frombytes(names)
        found.balances.frombytes(balances)
        return found


NOBODY = Columns(array("Q"), b"", array("q"))


class UserRows(Sequence[UserRow]):
    """The rows of a users' CSV. The file is read when a row is asked for the first time."""

    def __init__(self, read: Callable[[], Columns] = lambda: NOBODY, file: Path | None = None) -> None:
        """read: returns the file's columns, or raises InventoryError; then asking for a row raises it."""
        self._read = read
        self.file = file

    @cached_property
    def columns(self) -> Columns:
        """The columns of the rows."""
        return self._read()

    def __len__(self) -> int:
        return len(self.columns.names)

    @overload
    def __getitem__(self, index: int) -> UserRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[UserRow, ...]: ...
    def __getitem__(self, index: int | slice) -> UserRow | tuple[UserRow, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = range(len(self))[index]
        columns = self.columns
        key = columns.keys[place * KEY_BYTES : (place + 1) * KEY_BYTES]
        text = str(PublicKey(key[1:], kind=key[0]))
        return UserRow(int_to_name(columns.names[place]), text, columns.balances[place])

    def find(self, account: str) -> UserRow | None:
        """The row of that account; None if there is none. If the file does not contain the name, it is not parsed."""
        if "columns" not in self.__dict__ and self.file and not _mentions(self.file, account.encode()):
            return None
        try:
            return self[self.columns.names.index(name_to_int(account))]
        except (ValueError, BadName):
            return None

    @property
    def digest(self) -> str:
        """sha256 (hex) of the rows, independent of how the file writes them."""
        columns = self.columns
        hashed = hashlib.sha256(columns.names)
        hashed.update(columns.keys)
        hashed.update(columns.balances)
        return hashed.hexdigest()


NO_ROWS = UserRows()


def _mentions(file: Path, account: bytes) -> bool:
    """Whether a file has these bytes anywhere. Raises OSError."""
    with file.open("rb") as opened:
        rest = b""
        while part := opened.read(_AT_ONCE):
            if account in rest + part:
                return True
            rest = part[-len(account) :]
    return False


@dataclass(frozen=True)
class Holding:
    """One account's balance, in the smallest unit."""

    account: str
    balance: int


@dataclass(frozen=True)
class Holdings(Sequence[Holding]):
    """The balance of each account, in the order in which the accounts are created."""

    names: array[int]
    balances: array[int]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Holding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Holding, ...]: ...
    def __getitem__(self, index: int | slice) -> Holding | tuple[Holding, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        return Holding(int_to_name(self.names[index]), self.balances[index])

    @property
    def total(self) -> int:
        """The sum of all balances."""
        return sum(self.balances)
