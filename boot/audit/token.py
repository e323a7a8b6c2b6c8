"""Checks the core token: its supply, and that every balance is as planned.

It compares with the state right after a boot. The first claim of rewards issues inflation, and every transfer changes
balances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from antelope.errors import FormatError
from antelope.names import name_to_int
from boot.audit.amounts import money, units
from boot.audit.lawful import sponsored
from boot.audit.report import Check, judged, named
from boot.audit.seen import Seen
from boot.blueprint import Blueprint


def checks(blueprint: Blueprint, seen: Seen) -> Iterator[Check]:
    """token supply, balances."""
    sealed, symbol = blueprint.sealed, blueprint.symbol
    fine = f"{money(sealed.issue, symbol)} of {money(sealed.max_supply, symbol)}, issued by eosio"
    yield judged("token supply", _supply(blueprint, seen), fine)
    yield judged("balances", _balances(blueprint, seen), f"{seen.survey.holders} balances make up the supply")


def _supply(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    sealed, symbol = blueprint.sealed, blueprint.symbol
    if not seen.stat:
        yield f"there is no token {symbol.code}"
        return
    stat = seen.stat[0]
    for name, planned in (("supply", sealed.issue), ("max_supply", sealed.max_supply)):
        if units(stat[name], symbol) != planned:
            yield f"{name} is {stat[name]}, planned {money(planned, symbol)} (claimed rewards raise the supply)"
    if stat["issuer"] != "eosio":
        yield f"the issuer is {stat['issuer']}, planned eosio"
    others = [code for code in map(_symbol_code, seen.tokens) if code != symbol.code]
    if others:
        yield f"eosio.token has further tokens: {named(others)}"


def _symbol_code(scope: str) -> str:
    """A symbol code's text: as a scope, its 8 bytes are written as if they were a name."""
    try:
        return name_to_int(scope).to_bytes(8, "little").rstrip(b"\0").decode("ascii")
    except (FormatError, UnicodeDecodeError):
        return scope


def _balances(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    symbol = blueprint.symbol
    held, users = seen.survey.balances, seen.survey.users
    others = [name for name, amount in held.items() if amount is None]
    others += [users.allocation.account(place) for place, amount in enumerate(users.liquid) if amount < 0]
    yield from (f"the balance of {name} is not {symbol.code}" for name in others)
    if seen.survey.several:
        yield f"{named(seen.survey.several)} hold more than one token"
    supply = units(seen.stat[0]["supply"], symbol) if seen.stat else None
    total = sum(amount or 0 for amount in held.values()) + sum(amount for amount in users.liquid if amount > 0)
    if total != supply:
        yield f"balances sum to {money(total, symbol)}, which is not the supply"
    rows = blueprint.rows
    yield from _holding(blueprint, held, "eosio", blueprint.sealed.issue - rows.total)
    sponsor, parties = blueprint.sealed.sponsor, sponsored(blueprint, seen)
    given = parties * (sponsor.net + sponsor.cpu) if sponsor else 0
    yield from _holding(blueprint, held, "eosio.stake", sum(net + cpu for _, _, _, net, cpu, _ in rows.every()) + given)


def _holding(blueprint: Blueprint, held: Mapping[str, int | None], name: str, planned: int) -> Iterator[str]:
    has = held.get(name) or 0
    if has != planned:
        shown, wanted = (money(amount, blueprint.symbol) for amount in (has, planned))
        yield f"{name} holds {shown}, planned {wanted} right after a boot"
