"""Finds the allocation in blocks: each row's actions, byte for byte and once each, in whatever transactions they are.

A row is derived directly from the artifact's bytes: names, keys and amounts have the same form in an action.
"""

from __future__ import annotations

from collections.abc import Iterator

from antelope.asset import Symbol
from antelope.names import int_to_name, name_to_int, pack_name
from boot.audit.packed import PackedAction
from boot.audit.users import Places
from inventory.rows import LAYOUT, ROW_BYTES, Allocation

_EOSIO = pack_name("eosio")
_BY_EOSIO = b"\1" + _EOSIO + pack_name("active")
_ONE_KEY = b"\1\0\0\0\1", b"\1\0\0\0"
"""An authority of one key: threshold 1 and a list of one, the key, weight 1 and two empty lists."""
_MEMO = b"allocation"
_ZERO = bytes(8)
"""An amount of nothing."""
MADE, RAM, STAKE, LIQUID = 1, 2, 4, 8
"""The parts of a row, as bits."""
_NAMES = ("newaccount", "buyram", "delegatebw", "transfer")
_BITS = {name_to_int(name): 1 << place for place, name in enumerate(_NAMES)}
_SPOKEN = {MADE: "creation", RAM: "purchase of RAM", STAKE: "stake", LIQUID: "transfer"}


def _head(contract: str, action: str, size: int) -> bytes:
    """The packed beginning of an action of eosio@active, up to its data."""
    assert size < 0x80  # noqa: S101 (one byte says how long the data is)
    return pack_name(contract) + pack_name(action) + _BY_EOSIO + bytes((size,))


class Rows:
    """The rows, and which of their parts were seen."""

    def __init__(self, allocation: Allocation, symbol: Symbol) -> None:
        self._allocation = allocation
        self._places = Places(allocation)
        self._symbol = symbol.pack()
        key = _ONE_KEY[0] + bytes(34) + _ONE_KEY[1]
        self._create = _head("eosio", "newaccount", 16 + 2 * len(key)) + _EOSIO
        self._buy = _head("eosio", "buyram", 32) + _EOSIO
        self._stake = _head("eosio", "delegatebw", 49) + _EOSIO
        self._transfer = _head("eosio.token", "transfer", 33 + len(_MEMO)) + _EOSIO
        self._memo = bytes((len(_MEMO),)) + _MEMO
        self.seen = bytearray(len(allocation))
        """Parts of each row that were seen."""
        self.twice: list[str] = []
        """Parts that happened a second time."""
        self._next = 0

    def take_whole(self, data: bytes, at: int) -> tuple[int, int]:
        """If a whole row begins there: the position of its end, and the number of its actions; otherwise (0, 0)."""
        place = self._place(data[at + 42 : at + 50])
        if place < 0:
            return 0, 0
        parts, bits = self._derive(place)
        whole = b"".join(parts)
        if data[at : at + len(whole)] != whole:
            return 0, 0
        self._mark(place, bits)
        self._next = place + 1
        return at + len(whole), len(parts)

    def take(self, data: bytes, action: PackedAction) -> bool:
        """Whether the action is part of a row. If so, the part is marked as seen."""
        bit = _BITS.get(action.name, 0)
        # In each of them the account comes second, after eosio.
        place = self._place(data[action.data + 8 : action.data + 16]) if bit else -1
        if place < 0:
            return False
        parts, bits = self._derive(place)
        if not bits & bit or data[action.start : action.end] != parts[(bits & (bit - 1)).bit_count()]:
            return False
        self._mark(place, bit)
        return True

    def _derive(self, place: int) -> tuple[list[bytes], int]:
        """A row's packed actions and which parts they are. Zero amounts are left out."""
        at = place * ROW_BYTES
        row = self._allocation.artifact[at : at + ROW_BYTES]
        name, key = row[:8], row[8:42]
        ram, net, cpu, liquid = row[42:50], row[50:58], row[58:66], row[66:74]
        symbol = self._symbol
        own = _ONE_KEY[0] + key + _ONE_KEY[1]
        parts, bits = [self._create + name + own + own], MADE
        if ram != _ZERO:
            parts.append(self._buy + name + ram + symbol)
            bits |= RAM
        if net != _ZERO or cpu != _ZERO:
            parts.append(self._stake + name + net + symbol + cpu + symbol + b"\1")
            bits |= STAKE
        if liquid != _ZERO:
            parts.append(self._transfer + name + liquid + symbol + self._memo)
            bits |= LIQUID
        return parts, bits

    def _mark(self, place: int, bits: int) -> None:
        if self.seen[place] & bits:
            account = int_to_name(self._allocation.fields(place)[0])
            again = [spoken for bit, spoken in _SPOKEN.items() if self.seen[place] & bits & bit]
            self.twice.append(f"{account}: {' and '.join(again)} again")
        self.seen[place] |= bits

    def _place(self, name: bytes) -> int:
        """The row of an account; -1 if there is none. Rows are mostly asked for in order."""
        artifact, at = self._allocation.artifact, self._next * ROW_BYTES
        if name and artifact[at : at + 8] == name:
            return self._next
        return self._places.find(int.from_bytes(name, "little"))

    def complete(self) -> int:
        """How many rows were seen whole."""
        return len(self.seen) - sum(1 for _ in self.lacking())

    def lacking(self) -> Iterator[tuple[str, str]]:
        """Accounts with parts that were not seen, and which parts."""
        for place, bits in enumerate(self.seen):
            if bits == MADE | RAM | STAKE | LIQUID:
                continue
            fields = LAYOUT.unpack_from(self._allocation.artifact, place * ROW_BYTES)
            wanted = MADE | RAM * (fields[2] > 0) | STAKE * (fields[3] + fields[4] > 0) | LIQUID * (fields[5] > 0)
            if bits != wanted:
                lacks = [spoken for bit, spoken in _SPOKEN.items() if wanted & ~bits & bit]
                yield int_to_name(fields[0]), " and ".join(lacks)
