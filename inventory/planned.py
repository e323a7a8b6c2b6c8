"""Who registers and who votes during the boot: producers and votes, with every default filled in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedProducer:
    """A producer that registers during the boot."""

    account: str
    node: str | None
    """The node that signs for it; None: it is only registered."""
    url: str
    location: int
    elected: bool
    minimum: int
    """The least balance that it gets."""
    party: bool = False
    """A party that the boot waits for, with keys and a node of its own."""


@dataclass(frozen=True)
class PlannedVote:
    """One voter's vote: for producers, or for a proxy that votes for it."""

    voter: str
    producers: tuple[str, ...] = ()
    proxy: str = ""


@dataclass(frozen=True)
class Votes:
    """Who votes for whom: the richest users, and votes written out in the inventory."""

    voters: int = 0
    """This many of the richest users vote for every producer to be elected."""
    written: tuple[PlannedVote, ...] = ()
    proxies: tuple[str, ...] = ()
    """Accounts that register as proxies."""
    proxied: int = 0
    """This many users, following the voters, vote through the first proxy."""
