"""What anybody may see of a network: the one list of it. What has no field here is not published.

Deliberately absent: addresses and ports of every kind, paths, versions, clocks and disks of hosts, invitations, keys,
and every text that a person, a host, nodeos or a party wrote (reasons, errors, log lines). All texts are names that the
inventory's syntax admits, words of an enum, or the boot's own titles of steps. Plain values, so that a section compares
by value and is sent only when it changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cattrs

FIRST_NAMES = 5
"""How many names of what a step waits for are published; there may be thousands."""


class ShownState(StrEnum):
    """A step of the boot."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WAITS = "waits"
    """It depends on other people; a later boot continues."""


@dataclass(frozen=True)
class PublicStep:
    """One step of the boot."""

    name: str
    title: str
    state: ShownState
    seconds: float
    """How long it took; 0 while it is not done."""
    began: float | None
    """Unix seconds since when it is at work, or waits."""
    transactions: int
    done: int
    """Finished pieces of its work, out of `total`; both are 0 if the step does not count pieces."""
    total: int
    after: tuple[str, ...]
    """Steps that it still waits for."""
    on: tuple[str, ...]
    """The first hosts that are carrying it out."""
    waits_for: tuple[str, ...]
    """The first nodes or accounts that it waits for."""
    left: int
    """How many hosts those are, or pieces of its work that the chain lacks."""


@dataclass(frozen=True)
class PublicNetwork:
    """What the network is, and how far it is."""

    name: str
    phase: str
    """planned, booting, voting, live, stalled, down or unknown."""
    chain_id: str
    """Hex; empty before the seal, as the manifest is."""
    manifest: str
    symbol: str
    """The core symbol's code, such as SYS."""
    precision: int
    ended: int
    """Steps that are done."""
    steps: int


@dataclass(frozen=True)
class PublicChain:
    """The chain as seen by the operator's node with the highest head."""

    head: int
    lib: int
    age: float | None
    """Seconds since the latest block; None if no node answers."""
    stands: bool
    time: float
    """When that was read, in Unix seconds."""


@dataclass(frozen=True)
class PublicHost:
    """One of the operator's hosts."""

    name: str
    connected: bool
    nodes: int
    running: int


@dataclass(frozen=True)
class PublicNode:
    """One nodeos, of the operator's or of a party."""

    name: str
    host: str
    account: str
    role: str
    """genesis, producer, full or party."""
    state: str
    """running, starting, stopped, failed or unknown."""
    head: int
    lib: int
    peers: int


@dataclass(frozen=True)
class PublicParty:
    """One party."""

    name: str
    account: str
    state: str
    since: float
    """When it joined, in Unix seconds."""


@dataclass(frozen=True)
class PublicSeats:
    """The parties' places in the schedule."""

    taken: int
    most: int


@dataclass(frozen=True)
class PublicParties:
    """All parties, in order of joining."""

    parties: tuple[PublicParty, ...]
    seats: PublicSeats | None


@dataclass(frozen=True)
class PublicPlace:
    """Where a node is drawn: x to the right, y downwards, between -1 and 1."""

    name: str
    kind: str
    x: float
    y: float
    links: int


@dataclass(frozen=True)
class PublicGraph:
    """The peer graph as planned."""

    places: tuple[PublicPlace, ...]
    links: tuple[tuple[int, int], ...]
    """Pairs of indices of places."""


@dataclass(frozen=True)
class PublicCandidate:
    """A registered producer and its votes."""

    account: str
    share: float
    """Of all votes' weight, between 0 and 1."""
    scheduled: bool


@dataclass(frozen=True)
class PublicVotes:
    """The stake that has voted, in the smallest unit, and who has the votes."""

    activated: int
    threshold: int
    enforced: bool
    """Whether this system contract waits for the threshold; the bundled one elects after the first vote."""
    candidates: tuple[PublicCandidate, ...]


@dataclass(frozen=True)
class PublicSeat:
    """A producer's place in the schedule."""

    account: str
    state: str
    """now, signed, missed or unknown."""
    made: int
    """Blocks of its latest turn that has ended; of the running one if it is its turn."""
    absent: bool


@dataclass(frozen=True)
class PublicSchedule:
    """Who signs blocks, in turns."""

    turn: int
    """Blocks of one turn."""
    seats: tuple[PublicSeat, ...]
    next: tuple[str, ...]
    """The producers of a schedule that was proposed and is not active yet; empty if there is none."""


@dataclass(frozen=True)
class PublicHolder:
    """An account and what it gets, in the smallest unit."""

    account: str
    balance: int


@dataclass(frozen=True)
class PublicAllocation:
    """How the tokens are distributed among the accounts that the boot creates."""

    accounts: int
    total: int
    median: int
    gini: float
    richest: float
    """What the richest fifth holds, between 0 and 1."""
    curve: tuple[tuple[float, float], ...]
    top: tuple[PublicHolder, ...]


@dataclass(frozen=True)
class PublicAttestation:
    """A party's own audit of the chain, signed with its account's key."""

    party: str
    account: str
    counts: bool
    """Whether signature and network are right."""
    ok: bool
    """Whether it found the chain to be as sealed."""
    block: int
    at: float
    """Unix seconds."""
    replaced: tuple[str, ...]
    """Accounts whose contracts the producers have replaced since."""


@dataclass(frozen=True)
class PublicAttestations:
    """All attestations, and how many parties could attest."""

    attestations: tuple[PublicAttestation, ...]
    agree: int
    members: int


@dataclass(frozen=True)
class PublicView:
    """Everything. Each field is a section of the page."""

    network: PublicNetwork
    chain: PublicChain
    steps: tuple[PublicStep, ...]
    hosts: tuple[PublicHost, ...]
    nodes: tuple[PublicNode, ...]
    parties: PublicParties
    graph: PublicGraph
    votes: PublicVotes | None
    schedule: PublicSchedule
    allocation: PublicAllocation | None
    attestations: PublicAttestations

    @property
    def sections(self) -> Mapping[str, object]:
        """The sections by name."""
        return self.__dict__


class Tone(StrEnum):
    """Whether an event is good news, bad news or neither."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True)
class PublicEvent:
    """Something that happened."""

    at: float
    """Unix seconds."""
    tone: Tone
    text: str


@dataclass(frozen=True)
class PublicLag:
    """How far the last irreversible block was behind the head."""

    at: float
    """Unix seconds."""
    blocks: int
    head: int


_CONVERTER = cattrs.Converter()


def plain(section: object) -> Any:
    """A section as JSON's own types."""
    return _CONVERTER.unstructure(section)
