"""Which scheduled producers sign no blocks, from a series of observations of the head. Pure."""

from __future__ import annotations

from collections.abc import Collection

from antelope.elections import TURN_SECONDS

ROUNDS = 2
"""A producer is silent after this many rounds of the schedule without a block of its own."""


class Turns:
    """Remembers when each scheduled producer last signed. Observe at least once per turn, to miss none."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._block = 0
        self._looked = 0.0

    def silent(self, schedule: Collection[str], block: int, signer: str, now: float) -> frozenset[str]:
        """Producers that miss their turns. block, signer: of the head; now: seconds of a monotonic clock.

        A producer that was just scheduled, or not observed for a while, gets the full time again.
        """
        if now - self._looked > TURN_SECONDS:
            self._seen = {}
        self._looked = now
        self._seen = {name: self._seen.get(name, now) for name in schedule}
        if signer in self._seen and block != self._block:
            self._seen[signer] = now
        self._block = block
        patience = ROUNDS * TURN_SECONDS * len(schedule)
        return frozenset(name for name, at in self._seen.items() if now - at > patience)
