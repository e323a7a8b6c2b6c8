"""The record of what this host has signed. Each transaction is written down before it is pushed, and updated when its
fate is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from antelope.strict_json import read_json
from antelope.transaction import SignedTransaction
from support.journal import Journal

_SCHEMA = (
    """CREATE TABLE push (
        chain TEXT NOT NULL,
        step TEXT NOT NULL,
        key TEXT NOT NULL,
        id TEXT NOT NULL,
        signed TEXT NOT NULL,
        expiration INTEGER NOT NULL,
        first INTEGER NOT NULL,
        block INTEGER NOT NULL DEFAULT 0,
        final INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (chain, step, key)
    ) STRICT, WITHOUT ROWID""",
    # The bytes are separate from what changes, because an allocation's are many megabytes.
    """CREATE TABLE signed (
        chain TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (chain, step, key)
    ) STRICT""",
    "INSERT INTO signed SELECT chain, step, key, packed_transaction(signed) FROM push",
    "ALTER TABLE push DROP COLUMN signed",
)
_COLUMNS = "step, key, id, expiration, first, block, final"


@dataclass(frozen=True)
class Record:
    """One signed transaction of a step."""

    step: str
    key: str
    """The key of the piece of work, unique within the step."""
    id: str
    expiration: int
    """Unix seconds, of the chain's time."""
    first: int
    """The number of the first block that could hold it."""
    block: int = 0
    """The number of the block that holds it; 0 if none is known yet."""
    final: bool = False
    """Whether that block was irreversible."""


@dataclass(frozen=True)
class Placed:
    """Where a transaction was seen."""

    record: Record
    block: int
    final: bool
    """Whether that block is irreversible."""


class PushRecords:
    """The records of one chain, in the agent's journal. Each change is durable when the call returns."""

    def __init__(self, journal: Journal, chain_id: str) -> None:
        """Creates its table if it is missing."""
        self._journal = journal
        self.chain_id = chain_id
        journal.function("packed_transaction", lambda text: SignedTransaction.from_json(read_json(text)).pack())
        journal.part("pushes", _SCHEMA)

    def find(self, step: str, key: str) -> Record | None:
        """The record of the transaction that was signed last for this piece of work."""
        row = self._journal.row(
            f"SELECT {_COLUMNS} FROM push WHERE chain = ? AND step = ? AND key = ?",  # noqa: S608 (constants)
            self.chain_id,
            step,
            key,
        )
        return _record(row) if row else None

    def of_step(self, step: str) -> tuple[Record, ...]:
        """Everything that was signed for a step, by key."""
        rows = self._journal.rows(
            f"SELECT {_COLUMNS} FROM push WHERE chain = ? AND step = ? ORDER BY key",  # noqa: S608 (constants)
            self.chain_id,
            step,
        )
        return tuple(_record(row) for row in rows)

    def signed(self, record: Record) -> SignedTransaction:
        """The bytes that were signed."""
        row = self._journal.row(
            "SELECT packed FROM signed WHERE chain = ? AND step = ? AND key = ?", self.chain_id, record.step, record.key
        )
        if row is None:
            raise KeyError(record.key)
        return SignedTransaction.unpack(row[0])

    def add(self, fresh: Iterable[tuple[Record, SignedTransaction]]) -> None:
        """Adds freshly signed transactions and replaces expired ones. All or nothing."""
        with self._journal.transaction():
            for one, signed in fresh:
                self._journal.write(
                    f"INSERT OR REPLACE INTO push (chain, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                    *(self.chain_id, one.step, one.key, one.id, one.expiration, one.first, one.block, int(one.final)),
                )
                self._journal.write(
                    "INSERT OR REPLACE INTO signed VALUES (?, ?, ?, ?)", self.chain_id, one.step, one.key, signed.pack()
                )

    def forget_placed(self, step: str, key: str) -> None:
        """Forgets this piece of work's transaction if a block holds it, so that the work can be done again."""
        with self._journal.transaction():
            which = self.chain_id, step, key
            if self._journal.write("DELETE FROM push WHERE chain = ? AND step = ? AND key = ? AND block > 0", *which):
                self._journal.write("DELETE FROM signed WHERE chain = ? AND step = ? AND key = ?", *which)

    def place(self, seen: Iterable[Placed]) -> None:
        """Records the blocks that hold them."""
        with self._journal.transaction():
            for one in seen:
                self._journal.write(
                    "UPDATE push SET block = ?, final = ? WHERE chain = ? AND step = ? AND key = ? AND id = ?",
                    *(one.block, int(one.final), self.chain_id, one.record.step, one.record.key, one.record.id),
                )


def _record(row: tuple[str, str, str, int, int, int, int]) -> Record:
    return Record(*row[:6], bool(row[6]))
