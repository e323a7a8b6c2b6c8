"""Who came: the table of parties, with what each brought, where it stands, and what it attests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from support.journal import Journal

_SCHEMA = (
    """CREATE TABLE party (
        name TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        account_key TEXT,
        signing_key TEXT,
        endpoint TEXT,
        nodeos TEXT NOT NULL DEFAULT '',
        pinned TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL,
        why TEXT NOT NULL DEFAULT '',
        since REAL NOT NULL,
        neighbours TEXT NOT NULL DEFAULT '[]',
        dialled TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    """CREATE TABLE attestation (
        name TEXT PRIMARY KEY, account TEXT NOT NULL, document TEXT NOT NULL, signature TEXT NOT NULL, at REAL NOT NULL
    ) STRICT""",
    """CREATE TABLE upgrade (
        account TEXT NOT NULL, wasm TEXT NOT NULL, abi TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (account, wasm, abi)
    ) STRICT""",
)
_COLUMNS = "name, account, account_key, signing_key, endpoint, nodeos, pinned, state, why, since, neighbours, dialled"


class Standing(StrEnum):
    """How far a party has come; in this order, apart from the last three."""

    JOINED = "joined"
    """Enrolled; nothing is known of it yet."""
    REGISTERED = "registered"
    FOLLOWING = "following"
    """Its node was told its peers."""
    DIALLED = "dialled back"
    SYNCED = "in sync"
    ACCOUNT = "account there"
    VOTABLE = "votable"
    VOTED = "voted for"
    PRODUCING = "producing"
    REFUSED = "refused"
    REVOKED = "revoked"
    LEFT = "left"

    @property
    def gone(self) -> bool:
        """Whether nothing more comes for it."""
        return self in (Standing.REVOKED, Standing.LEFT)


@dataclass(frozen=True)
class Party:
    """One party."""

    name: str
    account: str
    account_key: str | None
    """EOS…; None, as the next two, until a registration was accepted."""
    signing_key: str | None
    endpoint: str | None
    """HOST:PORT of its p2p."""
    nodeos: str
    pinned: str
    """The manifest (hex) that its operator pinned; empty: none."""
    state: Standing
    why: str
    """What it waits for, or why not."""
    since: float
    """Unix seconds of its coming."""
    neighbours: tuple[str, ...]
    """Names of the nodes that it is linked with: the operator's nodes and other parties."""
    dialled: str
    """The endpoint at which a node of this chain was found; empty: none yet."""

    @property
    def accepted(self) -> bool:
        """Whether what it brought was taken up."""
        return self.account_key is not None and not self.state.gone

    @property
    def found(self) -> bool:
        """Whether a node of this chain answers at its endpoint, so that others may be told of it."""
        return self.endpoint is not None and self.dialled == self.endpoint


@dataclass(frozen=True)
class Attested:
    """What a party's agent found on its own node, signed with its account's key."""

    name: str
    account: str
    document: str
    signature: str
    at: float


class PartyStore:
    """The table, in the coordinator's journal; commands of other terminals read it too."""

    def __init__(self, journal: Journal) -> None:
        """Creates its tables when there are none."""
        self._journal = journal
        self._read: tuple[tuple[int, int], tuple[Party, ...]] | None = None
        journal.part("parties", _SCHEMA)

    def parties(self) -> tuple[Party, ...]:
        """All, in the order of their coming. The same tuple for as long as nothing changes."""
        version = self._journal.version()
        if self._read is None or self._read[0] != version:
            rows = self._journal.rows(f"SELECT {_COLUMNS} FROM party ORDER BY since, name")  # noqa: S608
            found = tuple(_party(row) for row in rows)
            self._read = version, self._read[1] if self._read and self._read[1] == found else found
        return self._read[1]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in the block becomes durable at once: of many parties in one go."""
        with self._journal.transaction():
            yield

    def reached(self, name: str) -> bool:
        """Whether a node of the operator's has reached the party's node at its endpoint."""
        party = self.find(name)
        return party is not None and party.found

    def find(self, name: str) -> Party | None:
        """The party of that name."""
        row = self._journal.row(f"SELECT {_COLUMNS} FROM party WHERE name = ?", name)  # noqa: S608
        return _party(row) if row else None

    def joined(self, name: str, account: str) -> None:
        """A party redeemed its invitation; within a transaction."""
        self._journal.write(
            "INSERT OR IGNORE INTO party (name, account, state, since) VALUES (?, ?, ?, ?)",
            name, account, Standing.JOINED, time.time(),
        )  # fmt: skip

    def accepted(self, name: str, account_key: str, signing_key: str, endpoint: str, nodeos: str, pinned: str) -> None:
        """What it brought was taken up. A new endpoint has to be dialled again."""
        self._journal.write(
            """UPDATE party SET account_key = ?, signing_key = ?, endpoint = ?, nodeos = ?, pinned = ?,
               state = CASE WHEN state IN (?, ?, ?) THEN ? ELSE state END WHERE name = ?""",
            account_key, signing_key, endpoint, nodeos, pinned,
            Standing.JOINED, Standing.REFUSED, Standing.LEFT, Standing.REGISTERED, name,
        )  # fmt: skip

    def stands(self, name: str, state: Standing, why: str) -> bool:
        """Records where it stands. Returns whether that is news."""
        return (
            self._journal.write(
                "UPDATE party SET state = ?, why = ? WHERE name = ? AND (state <> ? OR why <> ?)",
                state, why, name, state, why,
            )
            > 0
        )  # fmt: skip

    def advanced(self, name: str, state: Standing, why: str) -> None:
        """As `stands`, unless the party was revoked or left meanwhile."""
        self._journal.write(
            "UPDATE party SET state = ?, why = ? WHERE name = ? AND state NOT IN (?, ?)",
            state, why, name, Standing.REVOKED, Standing.LEFT,
        )  # fmt: skip

    def linked(self, name: str, neighbours: tuple[str, ...]) -> None:
        """Notes whom its node is linked with."""
        self._journal.write("UPDATE party SET neighbours = ? WHERE name = ?", json.dumps(neighbours), name)

    def dialled(self, name: str, endpoint: str) -> None:
        """Notes that a node of this chain answers there; empty: nowhere any more."""
        self._journal.write("UPDATE party SET dialled = ? WHERE name = ?", endpoint, name)

    def attest(self, attested: Attested) -> None:
        """Keeps what it attests; the latest counts."""
        self._journal.write(
            "INSERT OR REPLACE INTO attestation VALUES (?, ?, ?, ?, ?)",
            attested.name, attested.account, attested.document, attested.signature, attested.at,
        )  # fmt: skip

    def attesting(self) -> frozenset[str]:
        """Names of the parties that have attested."""
        return frozenset(row[0] for row in self._journal.rows("SELECT name FROM attestation"))

    def attestations(self) -> dict[str, Attested]:
        """By name of the party."""
        rows = self._journal.rows("SELECT name, account, document, signature, at FROM attestation")
        return {row[0]: Attested(*row) for row in rows}

    def upgraded(self, account: str, wasm: str, abi: str) -> None:
        """The producers replaced a contract; sha256 (hex) of its code and of its packed ABI."""
        self._journal.write("INSERT OR REPLACE INTO upgrade VALUES (?, ?, ?, ?)", account, wasm, abi, time.time())

    def upgrades(self) -> frozenset[tuple[str, str, str]]:
        """Account, code and packed ABI (sha256, hex) of every replacement ever made."""
        return frozenset(self._journal.rows("SELECT account, wasm, abi FROM upgrade"))


def _party(row: tuple[str, str, str, str, str, str, str, str, str, float, str, str]) -> Party:
    return Party(*row[:7], Standing(row[7]), row[8], row[9], tuple(json.loads(row[10])), row[11])
