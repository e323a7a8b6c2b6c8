"""The stages on a party's way to producing, and the line that its operator reads about each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Stage(IntEnum):
    """How far the party is, as its own node shows."""

    SYNCING = 1
    NO_ACCOUNT = 2
    OTHER_KEYS = 3
    UNREGISTERED = 4
    VOTABLE = 5
    ELECTED = 6
    SCHEDULED = 7
    PRODUCING = 8


@dataclass(frozen=True)
class Observation:
    """What one look at the party's own node shows."""

    head: int
    lib: int
    fresh: bool
    """Whether the head is recent."""
    peers: int
    """Connected."""
    account: bool = False
    ours: bool = False
    """Whether the agent's key is the account's."""
    registered: bool = False
    """As an active producer, with the agent's signing key."""
    votes: float = 0.0
    upcoming: bool = False
    """In the proposed or pending schedule."""
    scheduled: bool = False
    produced: bool = False
    """It has signed blocks."""


def stage(seen: Observation) -> Stage:
    """The stage that this shows."""
    if not seen.fresh:
        return Stage.SYNCING
    if not seen.account:
        return Stage.NO_ACCOUNT
    if not seen.ours:
        return Stage.OTHER_KEYS
    if not seen.registered:
        return Stage.UNREGISTERED
    if seen.scheduled:
        return Stage.PRODUCING if seen.produced else Stage.SCHEDULED
    return Stage.ELECTED if seen.upcoming else Stage.VOTABLE


def line(now: Stage, seen: Observation, account: str) -> str:
    """One line for the operator."""
    where = f"block {seen.head}, irreversible {seen.lib}"
    return {
        Stage.SYNCING: f"syncing: {where}, {seen.peers} peers",
        Stage.NO_ACCOUNT: f"in sync ({where}); waiting for account {account}",
        Stage.OTHER_KEYS: f"account {account} is there, but with other keys than this agent's: if it is yours, "
        "give it the key above (cleos set account permission ACCOUNT active EOS…)",
        Stage.UNREGISTERED: f"in sync ({where}); account {account} exists and is not registered as a producer",
        Stage.VOTABLE: f"{account} is registered and in sync, and can be voted for (votes now: {seen.votes:.0f})",
        Stage.ELECTED: f"{account} is elected and will be in the next schedule",
        Stage.SCHEDULED: f"{account} is in the active schedule",
        Stage.PRODUCING: f"{account} produces blocks ({where})",
    }[now]
