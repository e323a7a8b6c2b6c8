"""Fills in what concerns the chain itself: token, stake, genesis."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from antelope.asset import MAX_AMOUNT, Asset, Symbol
from antelope.errors import BadAsset, FormatError
from antelope.genesis import DEFAULT_CONFIGURATION
from antelope.keys import PublicKey
from inventory.errors import Problems
from inventory.model import GenesisTable, StakeTable, TokenTable
from inventory.network import GenesisPlan, StakeRule

FIRST_YEAR = 2000
"""Block timestamps count half seconds from its beginning (block_timestamp_epoch of nodeos' config.hpp)."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z?", re.ASCII)
"""Seen: nodeos misreads a time with a fourth decimal (fc::time_point::from_iso_string)."""


ROOMY = 8
"""The most decimals with which the largest default, ten billion tokens, is not more than 2^62 - 1 units."""


@dataclass(frozen=True)
class Token:
    """The core token. Amounts are in the smallest unit."""

    symbol: Symbol
    max_supply: int
    issue: int
    reserve: int

    def units(self, tokens: str) -> int:
        """A number of tokens such as "0.45" in smallest units; decimals beyond the precision are dropped."""
        whole, _, fraction = tokens.partition(".")
        return int(whole + fraction[: self.symbol.precision].ljust(self.symbol.precision, "0"))


def token(table: TokenTable, problems: Problems) -> Token:
    """The token with its supplies."""
    try:
        symbol = Symbol.parse(table.symbol)
    except BadAsset as error:
        problems.add("token.symbol", str(error))
        symbol = Symbol(4, "SYS")
    plain = Token(symbol, 0, 0, 0)
    read = amounts(plain, problems)
    max_supply = read("token.max_supply", table.max_supply, plain.units("10000000000"))
    issue = read("token.issue", table.issue, plain.units("1000000000"))
    reserve = read("token.reserve", table.reserve, issue // 1000)
    if table.issue is None and max_supply < issue < MAX_AMOUNT:
        problems.add("token.issue", "its default of one billion tokens is more than token.max_supply", "write it")
    elif table.issue is not None and issue > max_supply:
        problems.add("token.issue", "is more than token.max_supply")
    if issue == 0:
        problems.add("token.issue", "is zero", "the RAM market opens with a thousandth of the issue")
    if reserve > issue:
        problems.add("token.reserve", "is more than token.issue")
    return Token(symbol, max_supply, issue, reserve)


def amounts(token: Token, problems: Problems) -> Callable[[str, str | None, int], int]:
    """A parser of amounts in the token's symbol: (path, string or None, default) -> smallest units."""
    most = Asset(MAX_AMOUNT, token.symbol)

    def read(path: str, text: str | None, default: int) -> int:
        if text is None:
            if default > MAX_AMOUNT:
                problems.add(
                    path,
                    f"its default is more than the {most} that there can be",
                    f"write it, or give token.symbol {ROOMY} decimals at most",
                )
            return min(default, MAX_AMOUNT)
        try:
            amount = Asset.parse(text, token.symbol).amount
        except BadAsset as error:
            problems.add(path, str(error))
            return default
        if amount < 0:
            problems.add(path, f"{text} is negative")
        return amount

    return read


def stake(table: StakeTable, of: Token, problems: Problems) -> StakeRule:
    """The rule for splitting balances; by default with the tutorial's amounts."""
    read = amounts(of, problems)
    rule = StakeRule(
        ram=read("stake.ram", table.ram, of.units("0.1")),
        minimum=read("stake.minimum", table.minimum, of.units("0.45")),
        liquid=read("stake.liquid", table.liquid, of.units("9")),
    )
    for key in ("ram", "minimum"):
        if getattr(rule, key) == 0:
            default = "" if getattr(table, key) else "its default is less than one token, which "
            problems.add(f"stake.{key}", f"{default}is zero", f"the smallest amount is {Asset(1, of.symbol)}")
    return rule


def genesis(table: GenesisTable, problems: Problems) -> GenesisPlan:
    """The contents of genesis.json, checked as nodeos checks them when it starts."""
    configuration = dict(DEFAULT_CONFIGURATION)
    for key, value in table.configuration.items():
        path = f"genesis.configuration.{key}"
        if key not in DEFAULT_CONFIGURATION:
            problems.add(path, "nodeos has no such setting", f"known: {', '.join(DEFAULT_CONFIGURATION)}")
        elif not 0 <= value < 1 << 32:
            problems.add(path, f"{value} is not between 0 and 2^32 - 1")
        else:
            configuration[key] = value
    if table.timestamp is not None and not _is_time(table.timestamp):
        problems.add(
            "genesis.timestamp",
            f"{table.timestamp!r} is not a time since {FIRST_YEAR} with three decimals at most, "
            "such as 2018-06-08T08:08:08.888",
        )
    if table.initial_key is not None:
        try:
            PublicKey.parse(table.initial_key)
        except FormatError as error:
            problems.add("genesis.initial_key", str(error))
    return GenesisPlan(table.timestamp, configuration, table.initial_key, table.raise_limits)


def _is_time(text: str) -> bool:
    if not _TIMESTAMP.fullmatch(text):
        return False
    try:
        return datetime.fromisoformat(text).year >= FIRST_YEAR
    except ValueError:
        return False
