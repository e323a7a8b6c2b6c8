"""What this host has signed: each transaction is written down before it is pushed, and again when its fate is known."""

from __future__ import annotations

import json
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
)
_COLUMNS = "step, key, id, signed, expiration, first, block, final"


@dataclass(frozen=True)
class Record:
    """One signed transaction of a step."""

    step: str
    key: str
    """The key of the piece of work, unique within the step."""
    id: str
    signed: SignedTransaction
    expiration: int
    """Unix seconds, of the chain's time."""
    first: int
    """The number of the first block that could hold it."""
    block: int = 0
    """The number of the block that it was seen in; 0: it was seen in none yet."""
    final: bool = False
    """Whether that block was irreversible."""


class PushRecords:
    """The records of one chain, in the agent's journal. Every change is on the disk when the call returns."""

    def __init__(self, journal: Journal, chain_id: str) -> None:
        """Creates its table when there is none."""
        self._journal = journal
        self.chain_id = chain_id
        journal.part("pushes", _SCHEMA)

    def find(self, step: str, key: str) -> Record | None:
        """What was signed last for this piece of work."""
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

    def add(self, record: Record) -> None:
        """Writes a freshly signed transaction down, in the place of one that came to nothing."""
        self._journal.write(
            f"INSERT OR REPLACE INTO push (chain, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            self.chain_id,
            record.step,
            record.key,
            record.id,
            json.dumps(record.signed.to_json()),
            record.expiration,
            record.first,
            record.block,
            int(record.final),
        )

    def forget_placed(self, step: str, key: str) -> None:
        """What was signed for this piece of work, and was seen in a block, is no answer to who wants it again."""
        self._journal.write(
            "DELETE FROM push WHERE chain = ? AND step = ? AND key = ? AND block > 0", self.chain_id, step, key
        )

    def place(self, record: Record, block: int, final: bool) -> None:
        """It was seen in that block; final: which is irreversible."""
        self._journal.write(
            "UPDATE push SET block = ?, final = ? WHERE chain = ? AND id = ?",
            block,
            int(final),
            self.chain_id,
            record.id,
        )


def _record(row: tuple[str, str, str, str, int, int, int, int]) -> Record:
    signed = SignedTransaction.from_json(read_json(row[3]))
    return Record(row[0], row[1], row[2], signed, row[4], row[5], row[6], bool(row[7]))
