"""Records of what was signed: all of them or none, and those of an older version are read."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from agent.pushes.records import Placed, PushRecords, Record
from antelope.keys import PrivateKey
from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction
from support.journal import Journal

CHAIN = "ab" * 32
KEY = PrivateKey(bytes(31) + b"\x07")


def _signed(name: str) -> SignedTransaction:
    action = Action("eosio", "act", (PermissionLevel("eosio"),), name.encode())
    return Transaction(1_800_000_000, 1, 2, (action,)).sign(CHAIN, [KEY])


def _fresh(name: str) -> tuple[Record, SignedTransaction]:
    signed = _signed(name)
    return Record("work", name, signed.id, 1_800_000_000, 1), signed


def test_many_are_written_down_together(tmp_path: Path) -> None:
    """The bytes come back as they were; where one cannot be written none is."""
    records = PushRecords(Journal(tmp_path / "journal.sqlite"), CHAIN)
    fresh = [_fresh(name) for name in ("a", "b", "c")]
    records.add(fresh)
    assert records.of_step("work") == tuple(record for record, _ in fresh)
    assert [records.signed(record) for record, _ in fresh] == [signed for _, signed in fresh]

    broken = Record("work", "e", None, 1, 1)  # type: ignore[arg-type] # what a fault of ours would do
    with pytest.raises(sqlite3.IntegrityError):
        records.add([_fresh("d"), (broken, _signed("e"))])
    assert records.find("work", "d") is None


def test_where_they_were_seen_is_kept(tmp_path: Path) -> None:
    """Only of the transaction that was meant: another may have taken its place."""
    records = PushRecords(Journal(tmp_path / "journal.sqlite"), CHAIN)
    (old, _), new = _fresh("a"), _signed("a again")
    records.add([_fresh("a"), _fresh("b")])
    records.add([(Record("work", "a", new.id, 1_800_000_060, 5), new)])
    records.place([Placed(old, 3, True), Placed(_fresh("b")[0], 4, False)])
    assert [(one.key, one.block, one.final) for one in records.of_step("work")] == [("a", 0, False), ("b", 4, False)]
    records.forget_placed("work", "b")
    assert [one.key for one in records.of_step("work")] == ["a"]


def test_records_of_the_older_form_are_read(tmp_path: Path) -> None:
    """A journal that an agent before this one wrote, with a transaction under way."""
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as old:
        old.execute(
            """CREATE TABLE push (chain TEXT NOT NULL, step TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL,
            signed TEXT NOT NULL, expiration INTEGER NOT NULL, first INTEGER NOT NULL, block INTEGER NOT NULL DEFAULT 0,
            final INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (chain, step, key)) STRICT, WITHOUT ROWID"""
        )
        record, signed = _fresh("a")
        values = CHAIN, "work", "a", record.id, json.dumps(signed.to_json()), record.expiration, record.first, 9, 0
        old.execute("INSERT INTO push VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        old.execute("INSERT INTO part VALUES ('pushes', 1)")
    old.close()
    records = PushRecords(Journal(path), CHAIN)
    found = records.find("work", "a")
    assert found == Record("work", "a", record.id, record.expiration, record.first, block=9)
    assert records.signed(found) == signed
