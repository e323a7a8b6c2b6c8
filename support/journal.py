"""What must not be forgotten: a small SQLite file, durable at every commit.

Each part that keeps something brings its own schema, as a list of migrations that only ever grows.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BUSY_SECONDS = 5.0
"""How long a write waits for another process's."""


class JournalError(Exception):
    """The journal cannot be used."""


def _create(path: Path) -> None:
    """The file, 0600, when there is none. One that exists is not even opened: closing any descriptor of it would drop
    the locks that this process holds through SQLite (https://sqlite.org/howtocorrupt.html, 2.2), and another process
    would then remove the write-ahead log that is still written to.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


class Journal:
    """One SQLite file, 0600. WAL and synchronous=FULL: what was committed survives the machine's crash."""

    def __init__(self, path: Path) -> None:
        """Opens or creates it. Raises JournalError."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _create(path)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT")
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"{path}: {error}: check that the disk is not full and the file is yours") from error

    def part(self, name: str, migrations: Sequence[str]) -> None:
        """Brings a part's tables up to date: runs the migrations (one SQL statement each) that were not run yet.

        Raises JournalError when the file was written by a newer version.
        """
        with self.transaction():
            row = self.row("SELECT version FROM part WHERE name = ?", name)
            version = int(row[0]) if row else 0
            if version > len(migrations):
                raise JournalError(f"{self.path}: written by a newer version of bootcoord: install that one")
            for statement in migrations[version:]:
                self._db.execute(statement)
            self._db.execute("INSERT OR REPLACE INTO part VALUES (?, ?)", (name, len(migrations)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when the block ends."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def write(self, statement: str, *values: Any) -> int:
        """Runs one statement; outside `transaction` it is durable at once. Returns the number of rows it changed."""
        return self._db.execute(statement, values).rowcount

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._db.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row."""
        found: tuple[Any, ...] | None = self._db.execute(query, values).fetchone()
        return found

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
