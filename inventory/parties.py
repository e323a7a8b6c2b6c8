"""The inventory's rules for parties, which run their own hosts. The boot waits for some; others join later."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from inventory.reach import Reach


@dataclass(frozen=True)
class Sponsor:
    """The account that pays for parties' accounts, and what each of them gets, in the smallest unit."""

    account: str
    parties: int
    """How many accounts it pays for at most."""
    ram: int
    net: int
    cpu: int
    liquid: int
    own_ram: int
    """Spent on the sponsor's own RAM."""
    own_stake: int
    """Staked for the sponsor itself, for CPU and for NET each."""

    @property
    def budget(self) -> int:
        """The budget for all parties together."""
        return self.parties * (self.ram + self.net + self.cpu + self.liquid)

    @property
    def balance(self) -> int:
        """The balance that the allocation gives it."""
        return self.own_ram + 2 * self.own_stake + self.budget


@dataclass(frozen=True)
class Parties:
    """How parties join: who pays for them, who is waited for, whether they get votes, and where their nodes may be."""

    sponsor: Sponsor | None = None
    """None if parties bring existing accounts."""
    wait_for: tuple[str, ...] = ()
    """Accounts of the parties that the boot waits for before it begins."""
    wait_seconds: int = 900
    vote: bool = True
    """Whether the inventory's voters vote for parties that are ready."""
    share: Fraction | None = Fraction(1, 3)
    """Parties have fewer than this share of the places in the schedule; None: no limit."""
    endpoints: Reach = Reach.PUBLIC
    """Which addresses a party's p2p endpoint may have."""
