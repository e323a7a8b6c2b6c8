"""The allocation's accounts today, one column per value, so that a million of them take little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import cached_property

from antelope.asset import Symbol
from boot.audit.amounts import units
from boot.audit.authority import Json, by_key, differing
from inventory.rows import Allocation

NEVER = "1970-01-01T00:00:00.000"
"""last_code_update of an account that never had code."""


class Places:
    """The row of each account of an allocation."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation
        self._following = 0

    def find(self, name: int) -> int:
        """The row of the account with that name value; -1 if there is none.

        Callers mostly ask in the order of the rows, or of the names.
        """
        names, places = self._sorted
        at = self._following
        if at >= len(names) or names[at] != name:
            at = bisect_left(names, name)
            if at == len(names) or names[at] != name:
                return -1
        self._following = at + 1
        return places[at]

    @cached_property
    def _sorted(self) -> tuple[array[int], array[int]]:
        """Names in the order of their values, and the row of each."""
        names = array("Q", (fields[0] for fields in self._allocation.every()))
        places = array("I", sorted(range(len(names)), key=names.__getitem__))
        return array("Q", map(names.__getitem__, places)), places


def _column(rows: int) -> array[int]:
    return array("q", bytes(8 * rows))


class Users:
    """The chain's values for them. Amounts are in the smallest unit, or -1 if they are not in the core token."""

    def __init__(self, allocation: Allocation, places: Places) -> None:
        count = len(allocation)
        self.allocation = allocation
        self.places = places
        self.there = bytearray(count)
        """Whether the account exists."""
        self.liquid, self.net, self.cpu = _column(count), _column(count), _column(count)
        self.own_net, self.own_cpu = _column(count), _column(count)
        """What it staked for itself."""
        self.net_force, self.cpu_force = _column(count), _column(count)
        """The limits that nodeos enforces, as the chain counts them."""
        self.ram, self.quota = _column(count), _column(count)
        """RAM bytes: in the system contract's table, and as nodeos enforces them."""
        self.resourced = bytearray(count)
        """Whether the system contract has a row of its resources."""
        self.holding = 0
        """How many of the accounts have balances."""
        self.authorities: dict[int, tuple[str, ...]] = {}
        """How permissions differ from the planned ones, by row; only rows with differences."""

    def take(self, place: int, account: Json, symbol: Symbol) -> None:
        """Records get_account's answer."""
        self.there[place] = 1
        key = str(self.allocation[place].key)
        differences = differing(account, dict.fromkeys(("owner", "active"), by_key(key)))
        if differences:
            self.authorities[place] = tuple(differences)
        self.liquid[place] = _units(account.get("core_liquid_balance"), symbol)
        resources = account["total_resources"] or {}
        own = account["self_delegated_bandwidth"] or {}
        self.resourced[place] = bool(resources)
        self.net[place], self.cpu[place] = (_units(resources.get(f"{one}_weight"), symbol) for one in ("net", "cpu"))
        self.own_net[place] = _units(own.get("net_weight"), symbol)
        self.own_cpu[place] = _units(own.get("cpu_weight"), symbol)
        self.net_force[place], self.cpu_force[place] = int(account["net_weight"]), int(account["cpu_weight"])
        self.ram[place] = int(resources.get("ram_bytes", 0))
        self.quota[place] = int(account["ram_quota"])

    @property
    def count(self) -> int:
        """How many of the accounts exist."""
        return self.there.count(1)


def _units(text: object, symbol: Symbol) -> int:
    found = units(text, symbol)
    return -1 if found is None else found
