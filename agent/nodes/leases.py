"""Who may sign for a producer: one host at a time. The rules are pure; `Leases` keeps them in the agent's journal.

A coordinator hands out the lease of each producer's key and takes it back. Without a coordinator, agents decide by
themselves. A node that was away only briefly signs again at once. One that was away for longer may have been replaced
without its agent's knowledge, so it first follows the chain without a key, and looks whether another node signed in its
slots.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from agent.memory import Memory
from antelope.elections import TURN_SECONDS

TERM_SECONDS = 30.0
"""Seconds that a node may be away and sign again without looking back. A replacement waits longer for the old host.
"""
LOOK_ROUNDS = 2
"""Rounds of the schedule in which nobody else may have signed."""
EARLY_SECONDS = 3.0
"""Seconds by which a block's own time may be ahead of the clock, with room to spare: half a turn at most."""


class Standing(StrEnum):
    """The state of a producer's lease, as far as this agent knows."""

    FREE = "free"
    """No coordinator has said anything about it."""
    HELD = "held"
    TAKEN = "taken"
    """Another host has it, or was seen signing."""


class Verdict(StrEnum):
    """What a node that should sign may do when it starts."""

    SIGN = "sign"
    LOOK = "look"
    """Follow the chain without a key, and look first."""
    NEVER = "never"


@dataclass(frozen=True)
class Lease:
    """One producer's lease."""

    account: str
    number: int = 0
    """Rises when the lease goes to another machine."""
    standing: Standing = Standing.FREE
    why: str = ""
    """Why it was taken away."""


@dataclass(frozen=True)
class Signed:
    """A block, by who signed it and its time in Unix seconds."""

    producer: str
    time: float


@dataclass(frozen=True)
class View:
    """What a node without a key sees of the chain. Times are Unix seconds."""

    account: str
    schedule: tuple[str, ...]
    blocks: Sequence[Signed]
    """The latest blocks; of the last `LOOK_ROUNDS` rounds at least, as far as there are so many."""
    level: bool
    """It has every block that its peers told of, and hears of at least one of them, if it has any."""
    signed_last: float | None
    """When this node may have signed its last block; None: never, or unknown."""
    began: float
    """When the look began."""
    alone: bool
    """The lease may have gone to another machine, and no coordinator says whether it has. Then only the rounds after
    `began` count: in those before, the other machine may have been starting, and signed nothing yet.
    """
    now: float


class Finding(StrEnum):
    """The result of a look."""

    CLEAR = "clear"
    WAIT = "wait"
    OTHER = "other"


def verdict(lease: Lease, away: float | None, *, confirmed: bool) -> Verdict:
    """Whether a node may sign. away: seconds since it may have signed last; None: unknown.

    confirmed: a coordinator that is connected now has said that this host holds the lease.
    """
    if lease.standing is Standing.TAKEN:
        return Verdict.NEVER
    brief = away is not None and away <= TERM_SECONDS
    return Verdict.SIGN if confirmed or brief else Verdict.LOOK


def told(lease: Lease, number: int, *, ours: bool, host: str) -> Lease:
    """The lease after a coordinator said who has it. An older statement changes nothing."""
    if number < lease.number or (number == lease.number and lease.standing is Standing.TAKEN and ours):
        return lease
    if ours:
        return replace(lease, number=number, standing=Standing.HELD, why="")
    return replace(lease, number=number, standing=Standing.TAKEN, why=f"the coordinator gave its lease to {host}")


def window(schedule: Sequence[str]) -> float:
    """Seconds of the chain that a look covers."""
    return LOOK_ROUNDS * TURN_SECONDS * max(1, len(schedule))


def judge(view: View) -> Finding:
    """Whether somebody else signs for the account: `clear` once that can be told."""
    signed = [block.time for block in view.blocks if block.producer == view.account]
    known = view.began if view.signed_last is None else view.signed_last
    if any(time > known + EARLY_SECONDS for time in signed):
        return Finding.OTHER
    quiet = view.now - max([view.signed_last or 0.0, view.began if view.alone else 0.0, *signed])
    return Finding.CLEAR if view.level and quiet >= window(view.schedule) else Finding.WAIT


def is_later(since: float, slot: float, schedule: Sequence[str]) -> bool:
    """Whether a node that signs since then came after the one whose block of that slot it sees: it would have seen the
    other's blocks earlier, had that one begun after it. Times are Unix seconds.
    """
    return slot - since <= window(schedule)


class Leases:
    """The leases of one agent, kept in its journal."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._confirmed: set[str] = set()
        """Accounts whose lease this host has, as a coordinator says that is connected now."""
        self._handed: set[str] = set()
        """Accounts whose lease a coordinator gave to this machine in place of another, and that have not signed yet."""

    def of(self, account: str) -> Lease:
        """The known lease of an account."""
        kept = self._memory.get(f"lease {account}")
        if not kept:
            return Lease(account)
        values = json.loads(kept)
        return Lease(account, int(values["number"]), Standing(values["standing"]), str(values["why"]))

    def verdict(self, account: str, away: float | None) -> Verdict:
        """Whether a node may sign for the account. away: as for the pure `verdict`."""
        return verdict(self.of(account), away, confirmed=account in self._confirmed)

    def told(self, account: str, number: int, *, ours: bool, host: str, look: bool) -> None:
        """Stores who has the lease, as a coordinator says. look: this host has it, and must look before it signs."""
        lease = told(self.of(account), number, ours=ours, host=host)
        self._keep(lease)
        sure = ours and not look and lease.standing is Standing.HELD
        self._told(account, sure=sure, handed=ours and look)

    def given(self, account: str, number: int, *, look: bool) -> None:
        """Gives the lease because a coordinator asks to start the node, even if it was taken away before."""
        before = self.of(account)
        if number < before.number:
            return
        self._keep(Lease(account, number, Standing.HELD))
        self._told(account, sure=not look, handed=look)

    def taken(self, account: str, why: str) -> None:
        """Takes the lease away: somebody else signs for the account, or this host was replaced."""
        self._told(account, sure=False, handed=False)
        self._keep(replace(self.of(account), standing=Standing.TAKEN, why=why))

    def confirmed(self, account: str) -> bool:
        """Whether a coordinator that is connected now says that this host holds the lease."""
        return account in self._confirmed

    def alone(self, account: str) -> bool:
        """Whether the lease may have gone to another machine unnoticed: this host had it, and since then no coordinator
        that is connected has confirmed that, and none has handed it over for a use that is still to come.
        """
        return self.of(account).standing is Standing.HELD and account not in self._confirmed | self._handed

    def used(self, account: str) -> None:
        """The node signs now: what a coordinator handed over is in use, and counts for no later look."""
        self._handed.discard(account)

    def parted(self) -> None:
        """Forgets what a coordinator confirmed: none is connected now, so it may no longer be true."""
        self._confirmed.clear()

    def _told(self, account: str, *, sure: bool, handed: bool) -> None:
        """sure: this host has the lease, and may sign at once. handed: it has the lease, and must look first."""
        (self._confirmed.add if sure else self._confirmed.discard)(account)
        (self._handed.add if handed else self._handed.discard)(account)

    def _keep(self, lease: Lease) -> None:
        if lease != self.of(lease.account):
            values = {name: value for name, value in asdict(lease).items() if name != "account"}
            self._memory.keep(**{f"lease {lease.account}": json.dumps(values)})
