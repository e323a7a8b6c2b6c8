"""Stores invitations: who may join, once, and until when. Only a hash of the certificate is stored."""

from __future__ import annotations

from dataclasses import dataclass

from support.journal import Journal

_SCHEMA = (
    """CREATE TABLE invite (
        fingerprint TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        account TEXT NOT NULL,
        expires REAL NOT NULL,
        used_at REAL,
        used_by TEXT NOT NULL DEFAULT '',
        revoked INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
)
_COLUMNS = "fingerprint, name, account, expires, used_at, used_by, revoked"


class InviteRefused(Exception):
    """The invitation is not valid, or no longer. One line."""


@dataclass(frozen=True)
class Invite:
    """One invitation."""

    fingerprint: str
    """sha256 (hex) of its certificate."""
    name: str
    account: str
    """The only account that a party can join with by this invitation."""
    expires: float
    """Unix seconds."""
    used_at: float | None
    used_by: str
    """sha256 (hex) of the public key that it was redeemed for; empty before that."""
    revoked: bool


class Invites:
    """The table in the coordinator's journal. Other processes write to it, so nothing is cached."""

    def __init__(self, journal: Journal) -> None:
        """Creates its table if there is none."""
        self._journal = journal
        journal.part("invites", _SCHEMA)

    def add(self, fingerprint: str, name: str, account: str, expires: float) -> None:
        """Records an invitation, within the caller's transaction, and voids unused ones of the same name."""
        self._journal.write("UPDATE invite SET revoked = 1 WHERE name = ? AND used_at IS NULL", name)
        self._journal.write(
            "INSERT INTO invite (fingerprint, name, account, expires) VALUES (?, ?, ?, ?)",
            fingerprint, name, account, expires,
        )  # fmt: skip

    def redeem(self, fingerprint: str, key: str, now: float) -> Invite:
        """Redeems it for that key (a hash), within the caller's transaction. The first key wins.

        The same key may redeem it again until it expires: the answer may have been lost, and nobody else can use the
        certificate. Raises InviteRefused.
        """
        row = self._journal.row(f"SELECT {_COLUMNS} FROM invite WHERE fingerprint = ?", fingerprint)  # noqa: S608
        if row is None:
            raise InviteRefused("this invitation is unknown here: ask the operator for another")
        invite = _invite(row)
        if invite.revoked:
            raise InviteRefused(f"the invitation of {invite.name} was revoked, or replaced by a later one")
        if now >= invite.expires:
            raise InviteRefused(f"the invitation of {invite.name} has expired: ask the operator for another")
        if invite.used_at is not None and invite.used_by != key:
            raise InviteRefused(f"the invitation of {invite.name} was used already; if not by you, tell the operator")
        self._journal.write(
            "UPDATE invite SET used_at = ?, used_by = ? WHERE fingerprint = ? AND used_at IS NULL",
            now,
            key,
            fingerprint,
        )
        return invite

    def revoke(self, name: str) -> bool:
        """Voids unused invitations of that name. Returns whether there were any."""
        return (
            self._journal.write(
                "UPDATE invite SET revoked = 1 WHERE name = ? AND revoked = 0 AND used_at IS NULL", name
            )
            > 0
        )

    def open(self, now: float) -> tuple[Invite, ...]:
        """Invitations that can still be redeemed, by name."""
        rows = self._journal.rows(
            f"SELECT {_COLUMNS} FROM invite WHERE used_at IS NULL AND revoked = 0 AND expires > ? ORDER BY name",  # noqa: S608
            now,
        )
        return tuple(_invite(row) for row in rows)


def _invite(row: tuple[str, str, str, float, float | None, str, int]) -> Invite:
    return Invite(*row[:6], bool(row[6]))
