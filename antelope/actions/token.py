"""Actions of eosio.token, or of the same contract on another account."""

from __future__ import annotations

from typing import Any

from antelope.asset import Asset, Symbol
from antelope.layouts import TOKEN, pack_data
from antelope.transaction import Action, PermissionLevel


def _action(contract: str, name: str, actor: str, auth: PermissionLevel | None, *values: Any) -> Action:
    return Action(contract, name, (auth or PermissionLevel(actor),), pack_data(TOKEN, name, *values))


def create(issuer: str, maximum_supply: Asset, contract: str = TOKEN, auth: PermissionLevel | None = None) -> Action:
    """Creates a token; authorised by the contract's own account."""
    return _action(contract, "create", contract, auth, issuer, maximum_supply)


def issue(
    to: str, quantity: Asset, memo: str = "", contract: str = TOKEN, auth: PermissionLevel | None = None
) -> Action:
    """Issues this quantity to the issuer itself, which newer contracts require."""
    return _action(contract, "issue", to, auth, to, quantity, memo)


def transfer(
    from_: str, to: str, quantity: Asset, memo: str = "", contract: str = TOKEN, auth: PermissionLevel | None = None
) -> Action:
    """Transfers this quantity; the memo has at most 256 bytes."""
    return _action(contract, "transfer", from_, auth, from_, to, quantity, memo)


def open(  # noqa: A001 - the action's name on the chain
    owner: str, symbol: Symbol, ram_payer: str, contract: str = TOKEN, auth: PermissionLevel | None = None
) -> Action:
    """Opens a zero balance for the owner, paid for and authorised by ram_payer."""
    return _action(contract, "open", ram_payer, auth, owner, symbol, ram_payer)
