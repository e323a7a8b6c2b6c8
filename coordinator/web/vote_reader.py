"""Reads the votes as the system contract keeps them: the stake that has voted, and who has the votes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from boot.reads import Asking, ask, row, rows, run_reads
from boot.step import Query
from coordinator.web.view import Votes
from inventory.sealed import Sealed

EVERY = 5.0
"""Seconds between two reads."""
CANDIDATES = 60
"""How many producers are published, most votes first."""
VOTERS = 50
"""Sealed voters that one read looks up, where the contract itself counts no stake."""


class VoteReader:
    """Remembers the latest answer, and which voters have voted."""

    def __init__(self) -> None:
        self._votes: Votes | None = None
        self._read = -EVERY
        self._stakes: dict[str, int] = {}
        """By voter that was seen to have voted."""

    @property
    def latest(self) -> Votes | None:
        """As last read; None before the system contract is there."""
        return self._votes

    async def look(self, sealed: Sealed | None, call: Callable[[Query], Awaitable[Any]]) -> Votes | None:
        """The votes, read again when that is due. Raises NodeError."""
        if sealed is not None and time.monotonic() - self._read >= EVERY:
            self._read = time.monotonic()
            self._votes = await run_reads(self._look(sealed), call)
        return self._votes

    def _look(self, sealed: Sealed) -> Asking[Votes | None]:
        state = yield from rows("eosio", "eosio", "global")
        if not state or "total_activated_stake" not in state[0]:
            return None
        found = yield from ask("/v1/chain/get_producers", {"json": True, "limit": CANDIDATES})
        weight, activated = float(found["total_producer_vote_weight"]), int(state[0]["total_activated_stake"])
        ranked = ((str(one["owner"]), float(one["total_votes"])) for one in found["rows"] if one.get("is_active"))
        shares = tuple((account, votes / weight if weight > 0 else 0.0) for account, votes in ranked)
        if weight <= 0 or activated:
            return Votes(activated, shares)
        yield from self._count(sealed)
        return Votes(sum(self._stakes.values()), shares, threshold=False)

    def _count(self, sealed: Sealed) -> Asking[None]:
        """Adds up the sealed voters' stakes: a contract without a threshold counts none."""
        left = (vote.voter for vote in sealed.votes if vote.voter not in self._stakes)
        for voter in islice(left, VOTERS):
            entry = yield from row("eosio", "eosio", "voters", voter)
            if entry and (entry["producers"] or entry["proxy"]):
                self._stakes[voter] = int(entry["staked"])
