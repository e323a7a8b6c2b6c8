"""How many places of the schedule parties may have. By default too few to stop the network together.

A block becomes irreversible once more than two thirds of the scheduled producers have signed after it. If a third of
them is away, no block does. Parties are strangers to the operator, and may all be the same person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from antelope.elections import MAX_SCHEDULE, MAX_VOTED_PRODUCERS
from inventory.network import Network

ALL = "all"
_FRACTION = re.compile(r"(\d{1,4})/(\d{1,4})", re.ASCII)


def parse(text: str) -> Fraction | None:
    """The share from "1/3", which parties stay below; "all" is None, no limit. Raises ValueError."""
    if text == ALL:
        return None
    found = _FRACTION.fullmatch(text)
    if found is None or not 0 < int(found[1]) <= int(found[2]):
        raise ValueError(f'{text[:40]!r} is neither a fraction like "1/3" nor "{ALL}"')
    return Fraction(int(found[1]), int(found[2]))


def seats(share: Fraction | None, own: int) -> int:
    """How many places parties may have in a schedule, given this number of the operator's own producers."""
    if share is None:
        return MAX_VOTED_PRODUCERS
    fitting = (parties for parties in range(MAX_SCHEDULE + 1) if parties < share * min(own + parties, MAX_SCHEDULE))
    return max(fitting, default=0)


@dataclass(frozen=True)
class Seats:
    """The places of parties in the schedule that the operator's voters vote for."""

    own: int
    """The operator's producers that are to be elected."""
    most: int
    """Places that parties may have."""
    share: Fraction | None
    taken: int = 0
    """Places that they have or will have, because they have the votes."""

    @staticmethod
    def of(network: Network, voted: Iterable[str] = ()) -> Seats:
        """voted: producers that are voted for, beyond the inventory's."""
        own = {one.account for one in network.producers if one.elected and not one.party}
        sealed = {one.account for one in network.producers if one.elected and one.party}
        share = network.parties.share
        return Seats(len(own), seats(share, len(own)), share, len(sealed | (set(voted) - own)))

    @property
    def free(self) -> int:
        """Places that parties may still get."""
        return max(0, self.most - self.taken)

    @property
    def rule(self) -> str:
        """The limit in words."""
        if self.share is None:
            return 'no limit (parties.share = "all"): together they can stop the network'
        return f"fewer than {self.share.numerator}/{self.share.denominator} (parties.share)"

    def __str__(self) -> str:
        if self.share is None:
            return f"parties may have every place in the schedule: {self.rule}"
        places = min(self.own + self.most, MAX_SCHEDULE)
        return f"parties may have {self.most} of {places} places in the schedule: {self.rule}"
