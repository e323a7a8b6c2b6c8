"""Which host may sign for each producer of the operator's: one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from support.journal import Journal

_SCHEMA = (
    """CREATE TABLE lease (
        account TEXT PRIMARY KEY, host TEXT NOT NULL, number INTEGER NOT NULL, settled INTEGER NOT NULL
    ) STRICT""",
    "ALTER TABLE lease ADD COLUMN key TEXT NOT NULL DEFAULT ''",
)


@dataclass(frozen=True)
class Lease:
    """A producer's lease."""

    account: str
    host: str
    number: int
    """Rises when the lease goes to another machine."""
    settled: bool
    """Whether its holder has signed since it got the lease. Until then the holder first checks that no other node
    signs.
    """
    key: str = ""
    """For a producer that moves: the block-signing key (EOS…) that the lease covers. The earlier key keeps signing on
    its host until no schedule has it.
    """


class Leases:
    """The table in the coordinator's journal."""

    def __init__(self, journal: Journal) -> None:
        """Creates it if there is none. Raises JournalError."""
        self._journal = journal
        journal.part("lease", _SCHEMA)

    def all(self) -> tuple[Lease, ...]:
        """All leases, by account."""
        rows = self._journal.rows("SELECT account, host, number, settled, key FROM lease ORDER BY account")
        return tuple(Lease(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows)

    def find(self, account: str) -> Lease | None:
        """The lease of an account."""
        return next((lease for lease in self.all() if lease.account == account), None)

    def give(self, account: str, host: str) -> Lease:
        """Gives the lease to a host. It stays as it is if that host has it already."""
        known = self.find(account)
        if known and known.host == host:
            return known
        return self._write(Lease(account, host, known.number + 1 if known else 1, settled=known is None))

    def move(self, account: str, host: str) -> Lease:
        """Gives it to another machine, even one with the same host name. The previous machine loses it."""
        known = self.find(account)
        return self._write(Lease(account, host, known.number + 1 if known else 1, settled=False))

    def hand_over(self, account: str, host: str, key: str) -> Lease:
        """Gives it to the host that a producer moves to, for its key there. No schedule has that key yet, so the new
        host needs no check, and the old host keeps signing.
        """
        known = self.find(account)
        if known and (known.host, known.key) == (host, key):
            return known
        return self._write(Lease(account, host, known.number + 1 if known else 1, True, key))

    def settle(self, account: str) -> None:
        """Records that its holder signs."""
        self._journal.write("UPDATE lease SET settled = 1 WHERE account = ?", account)

    def _write(self, lease: Lease) -> Lease:
        statement = "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?)"
        self._journal.write(statement, lease.account, lease.host, lease.number, int(lease.settled), lease.key)
        return lease
