"""The journal keeps what was committed, and nothing else."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from support.journal import DamagedJournal, Journal, JournalError, Touched

_SCHEMA = ("CREATE TABLE thing (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT",)


def test_schemas_grow_and_data_stays(tmp_path: Path) -> None:
    """A later version runs only its own migrations; an older one says that it is too old."""
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.part("things", _SCHEMA)
    journal.write("INSERT INTO thing VALUES ('a', 1)")
    journal.close()
    newer = Journal(path)
    newer.part("things", (*_SCHEMA, "ALTER TABLE thing ADD COLUMN colour TEXT"))
    assert newer.rows("SELECT * FROM thing") == [("a", 1, None)]
    newer.close()
    with pytest.raises(JournalError, match="newer version"):
        Journal(path).part("things", _SCHEMA)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """An exception undoes everything in it."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal.part("things", _SCHEMA)
    journal.write("INSERT INTO thing VALUES ('a', 1)")

    def change() -> None:
        with journal.transaction():
            journal.write("DELETE FROM thing")
            journal.write("INSERT INTO thing VALUES ('b', NULL)")

    with pytest.raises(sqlite3.IntegrityError):
        change()
    assert journal.rows("SELECT * FROM thing") == [("a", 1)]


def test_columns_hold_their_types(tmp_path: Path) -> None:
    """STRICT tables refuse text where a number belongs."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal.part("things", _SCHEMA)
    with pytest.raises(sqlite3.IntegrityError):
        journal.write("INSERT INTO thing VALUES ('a', 'large')")


def test_what_was_written_survives_kill(tmp_path: Path) -> None:
    """A killed process has lost nothing, and no file is readable to others."""
    path = tmp_path / "journal.sqlite"
    program = (
        "import os, sys; from pathlib import Path; from support.journal import Journal\n"
        "j = Journal(Path(sys.argv[1])); j.part('things', [sys.argv[2]]); j.write(sys.argv[3]); os.kill(os.getpid(), 9)"
    )
    statement = "INSERT INTO thing VALUES ('a', 1)"
    subprocess.run([sys.executable, "-c", program, str(path), *_SCHEMA, statement], check=False)
    assert Journal(path).row("SELECT size FROM thing") == (1,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_process_comes_and_goes(tmp_path: Path) -> None:
    """A process that opened the file twice keeps its locks, so no other one removes its write-ahead log."""
    path = tmp_path / "journal.sqlite"
    journal, second = Journal(path), Journal(path)
    journal.part("things", _SCHEMA)
    program = (
        "import sys; from pathlib import Path; from support.journal import Journal\n"
        "j = Journal(Path(sys.argv[1])); print(j.rows('SELECT name FROM thing')); j.close()"
    )

    def other() -> str:
        return subprocess.run(
            [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert other() == "[]"
    journal.write("INSERT INTO thing VALUES ('a', 1)")
    assert other() == "[('a',)]"
    second.close()


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    """It names the file."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        Journal(path)


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """A fault that a user can mend is a JournalError with the file and a remedy; committed data stays readable."""
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.part("things", _SCHEMA)
    pages = journal.row("PRAGMA page_count")
    assert pages
    journal.row(f"PRAGMA max_page_count = {pages[0]}")  # SQLite then says what it says of a full disk

    def fill() -> None:
        with journal.transaction():
            for number in range(1000):
                journal.write("INSERT INTO thing VALUES (?, ?)", f"{number:0100}", number)

    with pytest.raises(JournalError, match=r"journal\.sqlite: database or disk is full: free some space"):
        fill()
    assert journal.rows("SELECT * FROM thing") == []
    journal.part("things", _SCHEMA)
    journal.close()
    with pytest.raises(JournalError, match="its folder must be yours"):
        Journal(path / "below" / "journal.sqlite")


def test_a_damaged_file_is_found_when_it_is_opened(tmp_path: Path) -> None:
    """Not only when that page is read; the error names the file and a remedy, and the remedy works."""
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.part("things", _SCHEMA)
    for number in range(200):
        journal.write("INSERT INTO thing VALUES (?, ?)", f"{number:0100}", number)
    journal.close()
    sound = path.read_bytes()
    (size,) = struct.unpack(">H", sound[16:18])
    for damaged in (b"no database" * 1000, sound[: 3 * size] + b"\xff" * size + sound[4 * size :], sound[: 4 * size]):
        path.write_bytes(damaged)
        with pytest.raises(DamagedJournal, match=r"journal\.sqlite is damaged \(.+\): move it to the moon"):
            Journal(path, "move it to the moon")
    path.rename(tmp_path / "moon")
    Journal(path).close()
    path.write_bytes(sound)
    again = Journal(path)
    assert len(again.rows("SELECT * FROM thing")) == 200
    again.close()


def test_the_version_of_a_table_tells_whether_to_read_it_again(tmp_path: Path) -> None:
    """It changes with writes, with undone writes, and with writes of others; not with another table's."""
    path = tmp_path / "journal.sqlite"
    journal, other = Journal(path), Journal(path)
    journal.part("things", (*_SCHEMA, "CREATE TABLE place (name TEXT PRIMARY KEY) STRICT"))
    seen = [journal.version("thing")]

    def is_new() -> bool:
        seen.append(journal.version("thing"))
        return seen[-1] != seen[-2]

    for statement in ("INSERT OR REPLACE INTO thing VALUES ('a', 1)", "UPDATE thing SET size = 2", "DELETE FROM thing"):
        journal.write(statement)
        assert is_new()
    journal.write("INSERT INTO place VALUES ('b')")
    assert not is_new()
    with contextlib.suppress(KeyError), journal.transaction():
        journal.write("INSERT INTO thing VALUES ('c', 3)")
        assert is_new()
        raise KeyError
    assert is_new()
    other.write("INSERT INTO thing VALUES ('d', 4)")
    assert is_new()
    assert not is_new()
    journal.close()
    other.close()


def test_only_rows_written_here_since_the_last_look_are_touched(tmp_path: Path) -> None:
    """Any row may have changed at the first call, after somebody else's write, and after an undo."""
    journal, other = Journal(tmp_path / "j.sqlite"), Journal(tmp_path / "j.sqlite")
    journal.part("x", ["CREATE TABLE thing (name TEXT PRIMARY KEY)"])
    touched, insert = Touched(journal, "thing"), "INSERT OR IGNORE INTO thing VALUES (?)"
    assert touched.since() is None
    assert touched.since() == frozenset()
    touched.write("a", insert, "a")
    touched.write("b", insert, "b")
    assert touched.since() == frozenset({"a", "b"})
    for elsewhere in (other, journal):
        touched.write("c", insert, "c")
        elsewhere.write(insert, "d")
        assert touched.since() is None
    with contextlib.suppress(RuntimeError), journal.transaction():
        touched.write("e", insert, "e")
        assert touched.since() == frozenset({"e"})
        raise RuntimeError
    assert touched.since() is None
    with pytest.raises(sqlite3.IntegrityError):
        touched.write("a", "INSERT INTO thing VALUES (?)", "a")
    journal.write(insert, "f")
    assert touched.since() is None
    other.close()
    journal.close()
