"""Who of the active schedule signs no blocks: pure, from what one look after another shows."""

from __future__ import annotations

from collections.abc import Collection

from antelope.elections import TURN_SECONDS

ROUNDS = 2
"""Rounds of the schedule without a block of its own, after which a producer is called silent."""


class Turns:
    """Remembers when each scheduled producer was last seen signing. Look at least once per turn, to miss nobody's."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._block = 0
        self._looked = 0.0

    def silent(self, schedule: Collection[str], block: int, signer: str, now: float) -> frozenset[str]:
        """Those that let their turns pass. block, signer: of the head; now: of a clock that never goes back, seconds.

        Whoever was just scheduled, or was not looked at for a while, gets all the time again.
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
