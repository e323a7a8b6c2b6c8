"""The journal: a small SQLite file for everything that must survive a crash. Every commit is durable.

Each part of the program has its own schema, a list of migrations to which new ones are appended.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.errors import SupportError

BUSY_SECONDS = 5.0
"""How long a write waits for another process's write."""


class JournalError(SupportError):
    """The journal cannot be used."""


class DamagedJournal(JournalError):
    """Its file is not an intact database."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(f"{path} is damaged ({found}): {remedy}")
        self.found = found


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_HINTS = {
    sqlite3.SQLITE_FULL: "free some space there, then run the command again",
    sqlite3.SQLITE_IOERR: "check the disk, and that it is not full",
    sqlite3.SQLITE_READONLY: "it must be yours, and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "it must be yours, and its folder writable",
    sqlite3.SQLITE_BUSY: "another process writes to it: wait for its end",
}
"""Hints for faults that a user can mend, by SQLite's primary result code (https://sqlite.org/rescode.html)."""


@contextmanager
def _explaining(path: Path, remedy: str) -> Iterator[None]:
    """Raises JournalError for faults that a user can fix. Anything else is a bug and passes unchanged."""
    try:
        yield
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}: its folder must be yours, on a disk that is not full") from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            raise DamagedJournal(path, str(error), remedy) from error
        hint = _HINTS.get(code)
        if hint is None:
            raise
        raise JournalError(f"{path}: {error}: {hint}") from error


def _create(path: Path) -> None:
    """Creates the file, 0600, if it is missing. An existing one is not even opened: closing any descriptor of it would
    drop
    the locks that this process holds through SQLite (https://sqlite.org/howtocorrupt.html, 2.2), and another process
    would then remove the write-ahead log that is still written to.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


_WRITES = re.compile(r"(?:INSERT(?: OR [A-Z]+)? INTO|UPDATE|DELETE FROM) (\w+)")
_UNDONE = ""


class Journal:
    """One SQLite file, 0600. With WAL and synchronous=FULL, commits survive a crash of the machine."""

    def __init__(self, path: Path, remedy: str = "move it away") -> None:
        """Opens or creates it, and checks all of it. remedy: what to do when it is damaged. Raises JournalError."""
        self.path = path
        self._remedy = remedy
        with _explaining(path, remedy):
            path.parent.mkdir(parents=True, exist_ok=True)
            _create(path)
            self._writes: Counter[str] = Counter()
            """Writes by table. Undoing a transaction counts as a write to every table."""
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._check()
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT")

    def _check(self) -> None:
        """Reads every page, so that damage is found now and not in the middle of some work."""
        ((found,), *_) = self._db.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            self._db.close()
            raise DamagedJournal(self.path, " ".join(str(found).split()), self._remedy)

    def part(self, name: str, migrations: Sequence[str]) -> None:
        """Brings a part's tables up to date: runs the migrations (one SQL statement each) that have not run yet.

        Raises JournalError when the file was written by a newer version.
        """
        if self._version(name) == len(migrations):  # without a write, so that it can be read on a full disk
            return
        with self.transaction():
            version = self._version(name)
            if version > len(migrations):
                raise JournalError(f"{self.path}: written by a newer version of bootcoord: install that one")
            for statement in migrations[version:]:
                self.write(statement)
            self.write("INSERT OR REPLACE INTO part VALUES (?, ?)", name, len(migrations))

    def function(self, name: str, call: Callable[[str], bytes]) -> None:
        """Makes a function from text to bytes available to migrations under this name."""
        self._db.create_function(name, 1, call, deterministic=True)

    def _version(self, part: str) -> int:
        row = self.row("SELECT version FROM part WHERE name = ?", part)
        return int(row[0]) if row else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Applies all of the block's writes or none; they are durable when the block ends. Raises JournalError."""
        self.write("BEGIN IMMEDIATE")
        try:
            yield
            self.write("COMMIT")
        except BaseException:
            self._writes[_UNDONE] += 1
            if self._db.in_transaction:  # some errors, such as a full disk, have ended it already
                self.write("ROLLBACK")
            raise

    def write(self, statement: str, *values: Any) -> int:
        """Runs one statement; outside `transaction` it is durable at once. Returns the number of rows it changed.

        Raises JournalError.
        """
        with _explaining(self.path, self._remedy):
            changed = self._db.execute(statement, values).rowcount
        if written := _WRITES.match(statement):
            self._writes[written[1]] += 1
        return changed

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows. Raises JournalError."""
        with _explaining(self.path, self._remedy):
            return self._db.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row. Raises JournalError."""
        return next(iter(self.rows(query, *values)), None)

    def version(self, table: str) -> tuple[int, int]:
        """A value that changes with every write to the table through this journal, and with every write to the file by
        another process (https://sqlite.org/pragma.html#pragma_data_version). Comparing it is much cheaper than reading
        the table again. Raises JournalError.
        """
        with _explaining(self.path, self._remedy):
            others = self._db.execute("PRAGMA data_version").fetchone()[0]
            return int(others), self._writes[table] + self._writes[_UNDONE]

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


class Touched:
    """Remembers which rows of a table were written since they were last read, so that only those are read again."""

    def __init__(self, journal: Journal, table: str) -> None:
        self._journal = journal
        self._table = table
        self._version: tuple[int, int] | None = None
        self._names: list[str] = []

    def write(self, name: str, statement: str, *values: Any) -> int:
        """As Journal.write, for a statement that changes only the row of that name."""
        changed = self._journal.write(statement, *values)
        self._names.append(name)
        return changed

    def since(self) -> frozenset[str] | None:
        """Names of the rows written here since the last call. None if any row may have changed: at the first call, when
        another process or another part of this one wrote, and when a write was undone. Raises JournalError.
        """
        version, before, names = self._journal.version(self._table), self._version, self._names
        if version == before:
            return frozenset()
        self._version, self._names = version, []
        alone = before is not None and version == (before[0], before[1] + len(names))
        return frozenset(names) if alone else None
