"""Every account of the chain, as it is today: the allocation's in columns, the few others one by one.

nodeos lists no accounts. The system contract's resources and the token's balances name those that have any; a snapshot
of the node names them all, and says of each what asking for it would say (`boot.audit.state`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from antelope.names import name_to_int
from boot.audit.amounts import units
from boot.audit.blocks import Early
from boot.audit.chain import Chain, Json
from boot.audit.users import NEVER, Places, Users
from boot.blueprint import Blueprint

AT_ONCE = 1000
"""Accounts that are asked for before the next ones."""

TakeSnapshot = Callable[[], AbstractAsyncContextManager[Path]]
"""Has the node write a snapshot of its state; the file is there while the block runs. Raises NodeError, OSError."""


@dataclass
class Survey:
    """What was found."""

    users: Users
    accounts: dict[str, Json] = field(default_factory=dict)
    """get_account of those that are not in the allocation."""
    named: set[str] = field(default_factory=set)
    """Accounts outside the allocation that the chain itself names."""
    total: int = 0
    """How many accounts there are, as far as the plan or the chain names them."""
    balances: dict[str, int | None] = field(default_factory=dict)
    """What those outside the allocation hold of the core token; None: something else."""
    several: list[str] = field(default_factory=list)
    """Holders of more than one token."""
    coded: list[str] = field(default_factory=list)
    """Accounts that have or had code, beside the planned contracts, and since when."""
    privileged: set[str] = field(default_factory=set)

    @property
    def holders(self) -> int:
        """How many balances there are."""
        return len(self.balances) + self.users.holding

    def note(self, name: str, account: Json, contracts: Iterable[str]) -> None:
        """What get_account says of any account."""
        self.total += 1
        if account["privileged"]:
            self.privileged.add(name)
        if account["last_code_update"] != NEVER and name not in contracts:
            self.coded.append(f"{name} has, or had, code (set {account['last_code_update']})")


async def ask_for_all(chain: Chain, blueprint: Blueprint, early: Early, planned: frozenset[str]) -> Survey:
    """Asks for every account, one by one. planned: the accounts outside the allocation. Raises AuditError."""
    rows = blueprint.rows
    survey = Survey(Users(rows, Places(rows)))
    resources, holders = await chain.all(
        partial(chain.scopes, *table) for table in (("eosio", "userres"), ("eosio.token", "accounts"))
    )
    contracts = {contract.account for contract in blueprint.sealed.contracts}
    find = survey.users.places.find
    named = {name for name in (*resources, *holders, *early.accounts) if find(name_to_int(name)) < 0}
    survey.named = named
    survey.several = [name for name, count in holders.items() if count != 1]
    for start in range(0, len(rows), AT_ONCE):
        part = range(start, min(start + AT_ONCE, len(rows)))
        names = [rows.account(place) for place in part]
        for place, name, account in zip(part, names, await _accounts(chain, names), strict=True):
            if account is not None:
                survey.note(name, account, contracts)
                survey.users.take(place, account, blueprint.symbol)
                survey.users.holding += name in holders
    others = sorted(named | planned)
    for start in range(0, len(others), AT_ONCE):
        names = others[start : start + AT_ONCE]
        for name, account in zip(names, await _accounts(chain, names), strict=True):
            if account is not None:
                survey.note(name, account, contracts)
                survey.accounts[name] = account
            if name in holders:
                held = account.get("core_liquid_balance") if account else "?"
                survey.balances[name] = units(held, blueprint.symbol)
    return survey


async def _accounts(chain: Chain, names: Iterable[str]) -> list[Json | None]:
    return await chain.all(partial(chain.account, name) for name in names)
