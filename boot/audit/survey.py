"""Surveys every account of the chain today: the allocation's in columns, the few others individually.

nodeos lists no accounts. The system contract's resources and the token's balances name those that have any; a snapshot
of the node has all accounts, each with the same facts as a query would return (`boot.audit.state`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from antelope.errors import NodeError
from antelope.names import name_to_int
from boot.audit.amounts import units
from boot.audit.blocks import Early
from boot.audit.by_snapshot import survey_of
from boot.audit.chain import Chain, Json
from boot.audit.found import Survey
from boot.audit.state import UnknownSnapshot
from boot.audit.users import Places, Users
from boot.blueprint import Blueprint

log = logging.getLogger(__name__)

MANY = 10_000
"""From this many accounts on, a snapshot is faster than asking for each, which takes 0.6 ms."""
AT_ONCE = 1000
"""How many accounts are asked for at a time."""

TakeSnapshot = Callable[[], AbstractAsyncContextManager[Path]]
"""Has the node write a snapshot of its state. The file exists while the block runs. Raises NodeError, OSError."""


@asynccontextmanager
async def surveying(blueprint: Blueprint, snapshot: TakeSnapshot | None) -> AsyncIterator[asyncio.Task[Survey | None]]:
    """Has the node write a snapshot if there are many accounts, and reads it while the block runs.

    The result is None if each account must be asked for instead. A node answers nothing while it writes, so the block
    begins after that.
    """
    written = asyncio.Event()
    task = asyncio.create_task(_by_snapshot(blueprint, snapshot, written))
    try:
        await written.wait()
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _by_snapshot(blueprint: Blueprint, snapshot: TakeSnapshot | None, written: asyncio.Event) -> Survey | None:
    """written: set once the node answers again, whether it could write a snapshot or not."""
    try:
        if snapshot is None or len(blueprint.rows) < MANY:
            return None
        async with snapshot() as path:
            written.set()
            return await asyncio.to_thread(survey_of, path, blueprint)
    except (NodeError, UnknownSnapshot, OSError) as error:
        log.warning("%s: so each of %d accounts is asked for, which takes long", error, len(blueprint.rows))
        return None
    finally:
        written.set()


async def look_at_all(
    chain: Chain, blueprint: Blueprint, early: Early, planned: frozenset[str], survey: Survey | None
) -> Survey:
    """Surveys every account. planned: the accounts outside the allocation. survey: what a snapshot shows; None: each
    account is asked for. Raises AuditError.
    """
    if survey is None:
        return await ask_for_all(chain, blueprint, early, planned)
    names = [*sorted(planned), *islice(sorted(survey.named - planned), AT_ONCE)]
    accounts = zip(names, await _accounts(chain, names), strict=True)
    survey.accounts.update((name, account) for name, account in accounts if account is not None)
    return survey


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
