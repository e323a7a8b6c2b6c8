"""Reads a CSV of users: account, public key, balance; the first line may be a header."""

from __future__ import annotations

import csv
from pathlib import Path

from antelope.asset import Asset, Symbol
from antelope.errors import BadAsset, FormatError
from antelope.keys import PublicKey
from inventory import staking, syntax
from inventory.errors import Problems
from inventory.network import StakeRule, UserRow

HEADER = ("account", "public key", "balance")
_SHOWN = 20
"""Problems of one file that are reported one by one."""


def read_users(path: Path, symbol: Symbol, rule: StakeRule, problems: Problems) -> tuple[UserRow, ...]:
    """The file's valid rows. Problems name the file and the line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problems.add("users.csv", f"{path} cannot be read: {error.strerror}")
        return ()
    except UnicodeDecodeError:
        problems.add("users.csv", f"{path} is not UTF-8")
        return ()
    found = Problems()
    rows: dict[str, UserRow] = {}
    lines = csv.reader(text.splitlines(), strict=True)
    while True:
        try:
            fields = [field.strip() for field in next(lines)]
        except StopIteration:
            break
        except csv.Error as error:
            found.add("users.csv", f"{path.name} line {lines.line_num}: {error}")
            break
        place = f"{path.name} line {lines.line_num}"
        if not fields or (lines.line_num == 1 and _is_header(fields)):
            continue
        row = _row(fields, place, symbol, rule, found)
        if row is None:
            continue
        if row.account in rows:
            found.add("users.csv", f"{place}: {row.account} is listed twice")
        rows[row.account] = row
    problems.extend(found.found[:_SHOWN])
    if len(found.found) > _SHOWN:
        problems.add("users.csv", f"{path.name} has {len(found.found) - _SHOWN} more problems")
    if not rows and not found:
        problems.add("users.csv", f"{path} contains no rows")
    return tuple(rows.values())


def _is_header(fields: list[str]) -> bool:
    return fields[0].lower() in {"account", "name", "account_name"}


def _row(fields: list[str], place: str, symbol: Symbol, rule: StakeRule, problems: Problems) -> UserRow | None:
    if len(fields) != len(HEADER):
        problems.add("users.csv", f"{place}: {len(fields)} fields, not 3", f"a line must be: {', '.join(HEADER)}")
        return None
    account, key, balance = fields
    wrong = syntax.account(account)
    if wrong:
        problems.add("users.csv", f"{place}: {wrong}")
    parsed = None
    try:
        parsed = PublicKey.parse(key)
    except FormatError as error:
        problems.add("users.csv", f"{place}: {error}")
    amount = _balance(balance, place, symbol, problems)
    if amount is not None and amount < staking.least(rule):
        least = Asset(staking.least(rule), symbol)
        problems.add(
            "users.csv", f"{place}: {Asset(amount, symbol)} does not cover RAM and the minimum stake", f"{least} does"
        )
        amount = None
    # A key that parses is already in canonical form; encoding it again would double the time for a large file.
    text = key if key.startswith("EOS") else str(parsed)
    return None if wrong or parsed is None or amount is None else UserRow(account, text, amount)


def _balance(text: str, place: str, symbol: Symbol, problems: Problems) -> int | None:
    """An amount with or without the symbol's code; it must have all decimals."""
    try:
        return Asset.parse(text if " " in text else f"{text} {symbol.code}", symbol).amount
    except BadAsset as error:
        problems.add("users.csv", f"{place}: {error}")
        return None
