"""Single values in the agent's journal, by name."""

from __future__ import annotations

from support.journal import Journal

_SCHEMA = ("CREATE TABLE agent (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",)


class Memory:
    """A small key-value store."""

    def __init__(self, journal: Journal) -> None:
        """Creates its table if it is missing."""
        self._journal = journal
        journal.part("agent", _SCHEMA)

    def get(self, name: str) -> str:
        """The value of that name; empty if none was ever stored."""
        row = self._journal.row("SELECT value FROM agent WHERE name = ?", name)
        return str(row[0]) if row else ""

    def keep(self, **values: str) -> None:
        """Stores all of these values, or none of them."""
        with self._journal.transaction():
            for name, value in values.items():
                self._journal.write("INSERT OR REPLACE INTO agent VALUES (?, ?)", name, value)
