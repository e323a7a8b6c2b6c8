"""The register: the names of the network's agents, and the certificate that each may use."""

from __future__ import annotations

import time
from dataclasses import dataclass

from coordinator.errors import OperationFailed
from protos.refusals import Refusal, RefusalKind
from support.identity import Identity, Kind
from support.journal import Journal, Touched

_SCHEMA = (
    """CREATE TABLE enrolled (
        name TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        enrolled_at REAL NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "ALTER TABLE enrolled ADD COLUMN successor TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE replaced (fingerprint TEXT PRIMARY KEY, name TEXT NOT NULL, at REAL NOT NULL) STRICT",
)
_COLUMNS = "name, kind, fingerprint, enrolled_at, revoked, successor"


class RegisterError(OperationFailed):
    """A name cannot be enrolled as asked."""


@dataclass(frozen=True)
class Entry:
    """One enrolled agent."""

    name: str
    kind: Kind
    fingerprint: str
    """sha256 (hex) of its certificate."""
    enrolled_at: float
    """When its certificate came into use, in Unix seconds."""
    revoked: bool
    successor: str
    """sha256 (hex) of the certificate that replaces it once the agent uses that; empty if there is none."""


class Register:
    """The table in the coordinator's journal. Other processes may revoke, and every check sees what they wrote."""

    def __init__(self, journal: Journal) -> None:
        """Creates its table if there is none."""
        self._journal = journal
        self._touched = Touched(journal, "enrolled")
        self._known: dict[str, Entry] = {}
        """By name, as last read. No row is ever removed from the table."""
        journal.part("register", _SCHEMA)

    def enrol(self, identity: Identity, fingerprint: str) -> None:
        """Enrols a name, or replaces the certificate of a known one.

        Raises RegisterError if the name was revoked or belongs to another kind.
        """
        with self._journal.transaction():
            self.take(identity, fingerprint)

    def take(self, identity: Identity, fingerprint: str) -> None:
        """As `enrol`, within the caller's transaction."""
        known = self.find(identity.name)
        if known and known.kind is not identity.kind:
            raise RegisterError(f"{identity.name} is taken by a {known.kind}")
        if known and known.revoked:
            raise RegisterError(f"{identity.name} was revoked: enrol under another name")
        self._touched.write(
            identity.name,
            "INSERT OR REPLACE INTO enrolled (name, kind, fingerprint, enrolled_at) VALUES (?, ?, ?, ?)",
            identity.name,
            str(identity.kind),
            fingerprint,
            time.time(),
        )

    def renew(self, name: str, successor: str) -> None:
        """Records a certificate's successor. Both are valid until it is used, because the answer may get lost."""
        self._touched.write(name, "UPDATE enrolled SET successor = ? WHERE name = ?", successor, name)

    def shown(self, name: str, fingerprint: str) -> None:
        """An agent connected with this certificate. If it is the successor, the older one becomes invalid."""
        known = self.find(name)
        if known and known.successor == fingerprint:
            self._touched.write(
                name,
                "UPDATE enrolled SET fingerprint = successor, successor = '', enrolled_at = ? "
                "WHERE name = ? AND successor = ?",
                time.time(),
                name,
                fingerprint,
            )

    def replace(self, name: str) -> None:
        """Gives the name to another machine. The old machine's certificates are refused for good, with that reason."""
        entry = self.find(name)
        with self._journal.transaction():
            for fingerprint in filter(None, (entry.fingerprint, entry.successor) if entry else ()):
                statement = "INSERT OR REPLACE INTO replaced VALUES (?, ?, ?)"
                self._journal.write(statement, fingerprint, name, time.time())
            self._touched.write(name, "UPDATE enrolled SET fingerprint = '', successor = '' WHERE name = ?", name)

    def _replaced(self, fingerprint: str) -> bool:
        return self._journal.row("SELECT 1 FROM replaced WHERE fingerprint = ?", fingerprint) is not None

    def revoke(self, name: str) -> bool:
        """Revokes the name for good. Returns whether it was enrolled."""
        return self._touched.write(name, "UPDATE enrolled SET revoked = 1 WHERE name = ?", name) > 0

    def find(self, name: str) -> Entry | None:
        """The entry of that name."""
        return self._entries().get(name)

    def entries(self) -> tuple[Entry, ...]:
        """All entries, by name."""
        return tuple(sorted(self._entries().values(), key=lambda entry: entry.name))

    def _entries(self) -> dict[str, Entry]:
        """The current entries. Every message of an agent is checked against them, so only rows that changed are read
        again.
        """
        names = self._touched.since()
        if names is None:
            rows = self._journal.rows(f"SELECT {_COLUMNS} FROM enrolled")  # noqa: S608
            self._known = {row[0]: _entry(row) for row in rows}
        for name in names or ():
            if row := self._journal.row(f"SELECT {_COLUMNS} FROM enrolled WHERE name = ?", name):  # noqa: S608
                self._known[name] = _entry(row)
        return self._known

    @property
    def version(self) -> tuple[int, int]:
        """A value that changes with every write to the register, by whichever process."""
        return self._journal.version("enrolled")

    def refusal(self, identity: Identity, fingerprint: str) -> Refusal | None:
        """Why the holder of this certificate is refused; None if it is accepted."""
        if identity.kind is Kind.INVITE:
            return Refusal("an invitation's certificate can only be used to join")
        entry = self.find(identity.name)
        if entry is None or entry.kind is not identity.kind:
            return Refusal(f"{identity.name} is not enrolled: enrol it again")
        if entry.revoked:
            return Refusal(f"{identity.name} was revoked")
        if fingerprint not in (entry.fingerprint, entry.successor):
            if self._replaced(fingerprint):
                return Refusal(f"{identity.name} was replaced by another machine", RefusalKind.REPLACED)
            return Refusal(f"{identity.name} was enrolled again with another certificate")
        return None


def _entry(row: tuple[str, str, str, float, int, str]) -> Entry:
    return Entry(row[0], Kind(row[1]), row[2], row[3], bool(row[4]), row[5])
