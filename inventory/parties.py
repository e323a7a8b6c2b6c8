"""What the inventory says of parties: those who run hosts of their own, and come late or are waited for."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.reach import Reach


@dataclass(frozen=True)
class Sponsor:
    """The account that pays for the accounts of parties, and what each of them gets, in the smallest unit."""

    account: str
    parties: int
    """So many at most."""
    ram: int
    net: int
    cpu: int
    liquid: int
    own_ram: int
    """What it spends on RAM for itself."""
    own_stake: int
    """What it stakes for itself, for CPU and for NET each."""

    @property
    def budget(self) -> int:
        """What all parties together may get of it."""
        return self.parties * (self.ram + self.net + self.cpu + self.liquid)

    @property
    def balance(self) -> int:
        """What the allocation gives it."""
        return self.own_ram + 2 * self.own_stake + self.budget


@dataclass(frozen=True)
class Parties:
    """How parties come in: who pays for them, who is waited for, who votes for them, where their nodes may be."""

    sponsor: Sponsor | None = None
    """None: parties bring accounts of their own."""
    wait_for: tuple[str, ...] = ()
    """Accounts of those without whom the boot does not begin."""
    wait_seconds: int = 900
    vote: bool = True
    """Whether the inventory's voters vote for parties that are ready."""
    endpoints: Reach = Reach.PUBLIC
    """How near a party's p2p endpoint may be."""
