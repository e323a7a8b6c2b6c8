"""Checks who governs the chain: the producers, through eosio.prods, and no single key."""

from __future__ import annotations

from collections.abc import Iterator

from boot.audit.authority import Json, by_accounts, differing
from boot.audit.report import Check, judged
from boot.audit.seen import NATIVE, Seen
from boot.blueprint import Blueprint

_NOBODY: Json = {"threshold": 1, "keys": [], "accounts": [], "waits": []}


def checks(blueprint: Blueprint, seen: Seen) -> Iterator[Check]:
    """system accounts, eosio resigned, producers' authority, canary, no old approvals."""
    subordinate = _subordinate(blueprint, seen)
    fine = f"{len(subordinate)} obey eosio@active, by owner and active"
    yield judged("system accounts", _system(subordinate, seen), fine)
    yield judged("eosio resigned", _resigned(seen), "owner and active are eosio.prods@active")
    active = seen.active_producers
    fine = f"eosio.prods@active is {len(active) * 2 // 3 + 1} of the {len(active)} in the schedule"
    yield judged("producers' authority", _prods(seen), fine)
    yield judged("canary", _canary(blueprint, seen), "a proposal by eosio.prods@active was executed")
    fine = "no proposal or delayed transaction is approved by eosio or a system account"
    yield judged("no old approvals", _approved(frozenset(subordinate), seen), fine)


def _subordinate(blueprint: Blueprint, seen: Seen) -> tuple[str, ...]:
    """System accounts, planned or not, apart from nodeos' own three."""
    planned = {*blueprint.sealed.system_accounts, *(contract.account for contract in blueprint.sealed.contracts)}
    named = (name for name in seen.accounts if name.startswith("eosio."))
    return tuple(sorted(planned.union(named) - NATIVE))


def _system(names: tuple[str, ...], seen: Seen) -> Iterator[str]:
    authority = by_accounts(["eosio"], 1)
    for name in names:
        yield from _differing(seen, name, {"owner": authority, "active": authority})
    yield from _differing(seen, "eosio.null", {"owner": _NOBODY, "active": _NOBODY})


def _resigned(seen: Seen) -> Iterator[str]:
    authority = by_accounts(["eosio.prods"], 1)
    yield from _differing(seen, "eosio", {"owner": authority, "active": authority})


def _prods(seen: Seen) -> Iterator[str]:
    """The differences of eosio.prods' authority from the active schedule, which is judged separately:
    controller_impl::update_producers_authority of Leap.
    """
    active = seen.active_producers
    shares = {"active": (2, 3), "prod.major": (1, 2), "prod.minor": (1, 3)}
    planned = {name: by_accounts(active, len(active) * part // whole + 1) for name, (part, whole) in shares.items()}
    yield from _differing(seen, "eosio.prods", {"owner": _NOBODY} | planned)


def _differing(seen: Seen, name: str, planned: dict[str, Json]) -> Iterator[str]:
    if name not in seen.accounts:
        yield f"{name} does not exist"
        return
    yield from (f"{name}: {difference}" for difference in differing(seen.accounts[name], planned))


def _approved(subordinate: frozenset[str], seen: Seen) -> Iterator[str]:
    """Old approvals that still count. Producers approve in their own names; eosio.prods itself obeyed eosio's key
    before there was a schedule.
    """

    def governs(account: str) -> bool:
        return account == "eosio" or account.startswith("eosio.") or account in subordinate

    for one in seen.approvals:
        if governs(one.actor):
            yield f"{one.proposal} can be executed by an approval of {one.actor}, although its key is gone"
    for trx, actors in seen.delayed:
        if governing := sorted(filter(governs, actors)):
            yield f"transaction {trx} was delayed, and will act as {', '.join(governing)}"


def _canary(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    code = blueprint.symbol.code
    rows = [row for row in seen.canary if str(row["data"]["balance"]).endswith(f" {code}")]
    if not rows:
        yield f"eosio.prods has no {code} balance row: no proposal was executed yet"
    elif rows[0]["payer"] != "eosio.prods":
        yield f"the {code} balance row of eosio.prods was paid by {rows[0]['payer']}, not by eosio.prods itself"
