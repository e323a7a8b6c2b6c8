"""Numbers that a coordinator stores for the next one: its epoch, and the port that agents dial."""

from __future__ import annotations

import socket

from support.endpoint import Endpoint
from support.journal import Journal

_SCHEMA = ("CREATE TABLE hub (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",)


class Numbers:
    """`epoch` and `port` in the network's journal; 0 if not written yet."""

    def __init__(self, journal: Journal) -> None:
        """Raises JournalError."""
        journal.part("hub", _SCHEMA)
        self._journal = journal

    def __getitem__(self, name: str) -> int:
        """The number of that name."""
        row = self._journal.row("SELECT value FROM hub WHERE name = ?", name)
        return int(row[0]) if row else 0

    def __setitem__(self, name: str, value: int) -> None:
        """Replaces it."""
        self._journal.write("INSERT OR REPLACE INTO hub VALUES (?, ?)", name, value)


def reserve_port(journal: Journal, listen: Endpoint) -> int:
    """The port that the coordinator listens on or will listen on: an invitation may need it before the first run."""
    if listen.port:
        return listen.port
    kept = Numbers(journal)
    if not kept["port"]:
        with socket.socket(socket.AF_INET6 if ":" in listen.host else socket.AF_INET) as probe:
            probe.bind((listen.host, 0))
            journal.write("INSERT OR IGNORE INTO hub VALUES ('port', ?)", probe.getsockname()[1])
    return kept["port"]
