"""What a party's operator is told of the way from the first block to producing. Pure: what is seen in, words out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Stage(IntEnum):
    """How far the party is, by what its own node shows."""

    SYNCING = 1
    NO_ACCOUNT = 2
    OTHER_KEYS = 3
    UNREGISTERED = 4
    VOTABLE = 5
    ELECTED = 6
    SCHEDULED = 7
    PRODUCING = 8


@dataclass(frozen=True)
class Sight:
    """One look at the own node."""

    head: int
    lib: int
    fresh: bool
    """Whether the head is a running chain's."""
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


def stage(sight: Sight) -> Stage:
    """How far that is."""
    if not sight.fresh:
        return Stage.SYNCING
    if not sight.account:
        return Stage.NO_ACCOUNT
    if not sight.ours:
        return Stage.OTHER_KEYS
    if not sight.registered:
        return Stage.UNREGISTERED
    if sight.scheduled:
        return Stage.PRODUCING if sight.produced else Stage.SCHEDULED
    return Stage.ELECTED if sight.upcoming else Stage.VOTABLE


def words(now: Stage, sight: Sight, account: str) -> str:
    """One line for the operator."""
    where = f"block {sight.head}, irreversible {sight.lib}"
    return {
        Stage.SYNCING: f"syncing: {where}, {sight.peers} peers",
        Stage.NO_ACCOUNT: f"in sync ({where}); waiting for account {account}",
        Stage.OTHER_KEYS: f"account {account} is there, but with other keys than this agent's: if it is yours, "
        "let it take the key above (cleos set account permission ACCOUNT active EOS…)",
        Stage.UNREGISTERED: f"in sync ({where}); account {account} is there, and not registered as a producer",
        Stage.VOTABLE: f"{account} is registered and in sync: it can be voted for (votes now: {sight.votes:.0f})",
        Stage.ELECTED: f"{account} is elected: the next schedule has it",
        Stage.SCHEDULED: f"{account} is in the active schedule",
        Stage.PRODUCING: f"{account} produces blocks ({where})",
    }[now]
