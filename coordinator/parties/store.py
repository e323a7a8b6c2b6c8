"""The table of parties: what each registered, its state, and its attestation."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from support.journal import Journal, Touched

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
    """A party's state, in order of progress apart from the last three."""

    JOINED = "joined"
    """Enrolled, not registered yet."""
    REGISTERED = "registered"
    FOLLOWING = "following"
    """Its agent was told its node's peers."""
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
        """Whether this state is final."""
        return self in (Standing.REVOKED, Standing.LEFT)


@dataclass(frozen=True)
class Party:
    """One party."""

    name: str
    account: str
    account_key: str | None
    """EOS…; None, like the next two, until a registration is accepted."""
    signing_key: str | None
    endpoint: str | None
    """Its p2p endpoint, HOST:PORT."""
    nodeos: str
    pinned: str
    """The manifest (hex) that its operator pinned; empty if none."""
    state: Standing
    why: str
    """What it waits for, or why it is not accepted."""
    since: float
    """When it joined, in Unix seconds."""
    neighbours: tuple[str, ...]
    """Names of the operator's nodes and other parties that its node is linked with."""
    dialled: str
    """The endpoint at which a node of this chain answered; empty if none has yet."""

    @property
    def accepted(self) -> bool:
        """Whether its registration was accepted."""
        return self.account_key is not None and not self.state.gone

    @property
    def found(self) -> bool:
        """Whether a node of this chain answered at its endpoint, so that others may be told of it."""
        return self.endpoint is not None and self.dialled == self.endpoint


@dataclass(frozen=True)
class Attested:
    """A party's audit of the chain through its own node, signed with its account's key."""

    name: str
    account: str
    document: str
    signature: str
    at: float


class PartyStore:
    """The tables in the coordinator's journal. Commands in other terminals read them too."""

    def __init__(self, journal: Journal) -> None:
        """Creates its tables if there are none."""
        self._journal = journal
        self._touched = Touched(journal, "party")
        self._known: dict[str, Party] = {}
        """By name, as last read. No row is ever removed from the table."""
        self._parties: tuple[Party, ...] | None = ()
        """All of these, sorted; None if the tuple must be rebuilt."""
        self._changes: dict[str, int] = {}
        """The number of each party's last change, in order of these numbers."""
        self._last = 0
        """The number of the latest change to any party."""
        journal.part("parties", _SCHEMA)

    def parties(self) -> tuple[Party, ...]:
        """All parties, in order of joining. The same tuple object as long as nothing changes."""
        self._read()
        if self._parties is None:
            self._parties = tuple(sorted(self._known.values(), key=lambda party: (party.since, party.name)))
        return self._parties

    def changed(self, since: int) -> tuple[int, tuple[Party, ...]]:
        """The parties that changed after the number that this method returned before (0: all of them), with the number
        to pass next. The work is in proportion to these parties, however many others there are.
        """
        self._read()
        recent = takewhile(lambda entry: entry[1] > since, reversed(self._changes.items()))
        return self._last, tuple(self._known[name] for name, _ in recent)

    def _read(self) -> None:
        """Reads the rows that this store has written since the last read; all rows if another process wrote."""
        names = self._touched.since()
        if names is None:
            found = [_party(row) for row in self._journal.rows(f"SELECT {_COLUMNS} FROM party")]  # noqa: S608
        else:
            found = [party for name in names if (party := self.find(name))]
        for party in found:
            if self._known.get(party.name) != party:
                self._last += 1
                self._known[party.name] = party
                self._changes.pop(party.name, None)
                self._changes[party.name] = self._last
                self._parties = None

    def count(self) -> int:
        """The number of parties."""
        return int(self._journal.rows("SELECT count(*) FROM party")[0][0])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes everything that the block writes one transaction."""
        with self._journal.transaction():
            yield

    def reached(self, name: str) -> bool:
        """Whether one of the operator's nodes has reached the party's node at its endpoint."""
        party = self.find(name)
        return party is not None and party.found

    def find(self, name: str) -> Party | None:
        """The party of that name."""
        row = self._journal.row(f"SELECT {_COLUMNS} FROM party WHERE name = ?", name)  # noqa: S608
        return _party(row) if row else None

    def rivals(self, name: str, account: str, endpoints: Collection[str], keys: Collection[str]) -> tuple[Party, ...]:
        """The other parties, apart from revoked ones, that have the account, or one of these endpoints or keys."""
        at, of = ", ".join("?" * len(endpoints)), ", ".join("?" * len(keys))
        rows = self._journal.rows(
            f"""SELECT {_COLUMNS} FROM party WHERE name <> ? AND state <> ? AND (account = ? OR endpoint IN ({at})
                OR account_key IN ({of}) OR signing_key IN ({of})) ORDER BY since, name""",  # noqa: S608
            name, Standing.REVOKED, account, *endpoints, *keys, *keys,
        )  # fmt: skip
        return tuple(_party(row) for row in rows)

    def joined(self, name: str, account: str) -> None:
        """Records that a party redeemed its invitation, within the caller's transaction."""
        self._touched.write(
            name,
            "INSERT OR IGNORE INTO party (name, account, state, since) VALUES (?, ?, ?, ?)",
            name, account, Standing.JOINED, time.time(),
        )  # fmt: skip

    def accepted(self, name: str, account_key: str, signing_key: str, endpoint: str, nodeos: str, pinned: str) -> None:
        """Records an accepted registration. A new endpoint has to be dialled back again."""
        self._touched.write(
            name,
            """UPDATE party SET account_key = ?, signing_key = ?, endpoint = ?, nodeos = ?, pinned = ?,
               state = CASE WHEN state IN (?, ?, ?) THEN ? ELSE state END WHERE name = ?""",
            account_key, signing_key, endpoint, nodeos, pinned,
            Standing.JOINED, Standing.REFUSED, Standing.LEFT, Standing.REGISTERED, name,
        )  # fmt: skip

    def stands(self, name: str, state: Standing, why: str) -> bool:
        """Records a party's state. Returns whether it changed."""
        return (
            self._touched.write(
                name,
                "UPDATE party SET state = ?, why = ? WHERE name = ? AND (state <> ? OR why <> ?)",
                state, why, name, state, why,
            )
            > 0
        )  # fmt: skip

    def advanced(self, name: str, state: Standing, why: str) -> None:
        """As `stands`, unless the party was revoked or has left meanwhile."""
        self._touched.write(
            name,
            "UPDATE party SET state = ?, why = ? WHERE name = ? AND state NOT IN (?, ?)",
            state, why, name, Standing.REVOKED, Standing.LEFT,
        )  # fmt: skip

    def linked(self, name: str, neighbours: tuple[str, ...]) -> None:
        """Records which nodes its node is linked with."""
        self._touched.write(name, "UPDATE party SET neighbours = ? WHERE name = ?", json.dumps(neighbours), name)

    def dialled(self, name: str, endpoint: str) -> None:
        """Records the endpoint at which a node of this chain answers; empty if none answers now."""
        self._touched.write(name, "UPDATE party SET dialled = ? WHERE name = ?", endpoint, name)

    def attest(self, attested: Attested) -> None:
        """Stores a party's attestation, replacing its earlier one."""
        self._journal.write(
            "INSERT OR REPLACE INTO attestation VALUES (?, ?, ?, ?, ?)",
            attested.name, attested.account, attested.document, attested.signature, attested.at,
        )  # fmt: skip

    def attesting(self) -> frozenset[str]:
        """Names of the parties that have attested."""
        return frozenset(row[0] for row in self._journal.rows("SELECT name FROM attestation"))

    def attestations(self) -> dict[str, Attested]:
        """All attestations, by the party's name."""
        rows = self._journal.rows("SELECT name, account, document, signature, at FROM attestation")
        return {row[0]: Attested(*row) for row in rows}

    def upgraded(self, account: str, wasm: str, abi: str) -> None:
        """Records that the producers replaced a contract. wasm, abi: sha256 (hex) of its code and of its packed ABI."""
        self._journal.write("INSERT OR REPLACE INTO upgrade VALUES (?, ?, ?, ?)", account, wasm, abi, time.time())

    def upgrades(self) -> frozenset[tuple[str, str, str]]:
        """Account, code and packed ABI (sha256, hex) of every replacement ever made."""
        return frozenset(self._journal.rows("SELECT account, wasm, abi FROM upgrade"))


def _party(row: tuple[str, str, str, str, str, str, str, str, str, float, str, str]) -> Party:
    return Party(*row[:7], Standing(row[7]), row[8], row[9], tuple(json.loads(row[10])), row[11])
