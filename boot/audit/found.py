"""The result of a survey of all accounts: the allocation's in columns, the few others one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from boot.audit.authority import Json
from boot.audit.users import NEVER, Users


@dataclass
class Survey:
    """The findings of the survey."""

    users: Users
    accounts: dict[str, Json] = field(default_factory=dict)
    """get_account of those that are not in the allocation."""
    named: set[str] = field(default_factory=set)
    """Accounts outside the allocation that exist according to the chain's tables."""
    total: int = 0
    """How many accounts there are, as far as the plan or the chain names them."""
    balances: dict[str, int | None] = field(default_factory=dict)
    """Core token balances of accounts outside the allocation; None if a balance is of another form."""
    several: list[str] = field(default_factory=list)
    """Holders of more than one token."""
    coded: list[str] = field(default_factory=list)
    """Accounts that have or had code, beside the planned contracts, and since when."""
    privileged: set[str] = field(default_factory=set)
    everybody: bool = False
    """Whether the survey is complete: nodeos itself listed all accounts."""
    voters: list[str] | None = None
    """Voters and proxies; None if not known yet."""

    @property
    def holders(self) -> int:
        """How many balances there are."""
        return len(self.balances) + self.users.holding

    def note(self, name: str, account: Json, contracts: Collection[str]) -> None:
        """Records what get_account says about an account."""
        self.total += 1
        if account["privileged"]:
            self.privileged.add(name)
        if account["last_code_update"] != NEVER and name not in contracts:
            self.coded.append(f"{name} has, or had, code (set {account['last_code_update']})")
