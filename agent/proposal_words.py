"""What a proposal would do, in words: a line each, every action as cleos would send it.

Anybody may propose, and anybody sets the ABI of an account of their own: so this is done in a cage (`support.cage`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from antelope.abi import Abi
from antelope.cleos import cleos_command
from antelope.errors import AntelopeError
from antelope.layouts import LAYOUTS
from antelope.transaction import Action, Transaction
from support.cage import Budget

BUDGET = Budget(memory=256 << 20, cpu=10, seconds=30.0, answer=8 << 20)
"""A transaction has 512 KiB at most."""
LONGEST_LINE = 200_000
"""Characters."""


def foreign(transaction: Transaction) -> tuple[str, ...]:
    """Accounts whose ABI is needed to read the transaction's actions."""
    unknown = (action.account for action in transaction.actions if action.name not in LAYOUTS.get(action.account, {}))
    return tuple(dict.fromkeys(unknown))


def words(request: Mapping[str, Any]) -> list[str]:
    """The lines. request: title, packed (hex), abis (packed, base64, by account). Raises ValueError."""
    packed = bytes.fromhex(request["packed"])
    transaction = Transaction.unpack(packed)
    abis = {account: base64.b64decode(abi) for account, abi in request["abis"].items()}
    until = datetime.fromtimestamp(transaction.expiration, UTC)
    delay = f", {transaction.delay_sec} s after it is executed" if transaction.delay_sec else ""
    lines = [f"{request['title']}: {len(transaction.actions)} actions, until {until:%Y-%m-%d %H:%M} UTC{delay}"]
    lines.append(f"  sha256 of its bytes: {hashlib.sha256(packed).hexdigest()}")
    lines += [f"  {_cut(_line(action, abis.get(action.account)))}" for action in transaction.actions]
    return lines


def _line(action: Action, abi: bytes | None) -> str:
    data, trouble = None, ""
    if abi is not None and action.name not in LAYOUTS.get(action.account, {}):
        try:
            data = Abi.from_packed(abi).unpack_action(action.name, action.data)
        except AntelopeError as error:
            trouble = f"  (its data cannot be read with the ABI of {action.account}: {str(error)[:200]})"
    try:
        return cleos_command(action, data) + trouble
    except AntelopeError as error:
        return f"{action.account}::{action.name}, whose data cannot be read: {error}"


def _cut(line: str) -> str:
    more = len(line) - LONGEST_LINE
    return line if more <= 0 else f"{line[:LONGEST_LINE]} … and {more} characters more"
