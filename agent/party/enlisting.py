"""Registering a party's producer on the chain, once its account is there with the party's own key."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from agent.errors import DutyError
from agent.party.account import OwnAccount
from agent.party.settings import PartySettings
from agent.pushes.pushing import Chore
from agent.reports import ReportProgress
from antelope import actions
from antelope.answers import Account
from antelope.keys import PublicKey
from antelope.names import name_to_int
from boot.reads import is_key
from boot.step import Push

log = logging.getLogger(__name__)


async def enlist(own: OwnAccount, settings: PartySettings, report: ReportProgress) -> None:
    """Registers the producer (regproducer), if the policy allows. Does nothing if it is registered as configured.

    Raises DutyError if the node is not in sync or the account does not exist with the party's key; PushError and
    others.
    """
    info = await own.synced()
    check_account(own.name, await own.node.find_account(own.name), own.account_key)
    row = await own.node.find_row("eosio", "eosio", "producers", name_to_int(own.name))
    if any(registered(row, key, settings.url) for key in own.signer_keys):
        return
    action = actions.regproducer(own.name, own.signer_key, settings.url, settings.location)
    (pushed,) = await own.sign(Chore("enlist"), (Push(own.name, (action,), own.name),), info, report)
    log.info("regproducer is in block %d: %s is registered (transaction %s)", pushed.block, own.name,
             pushed.transaction)  # fmt: skip


def check_account(name: str, account: Account | None, own: PublicKey) -> None:
    """Raises DutyError if the account does not exist, or its active permission is not the party's own key."""
    if account is None:
        raise DutyError(f"account {name} is not there yet", retryable=True)
    active = account.permissions["active"].authority
    if sum(weight for key, weight in active.keys if key == own) < active.threshold:
        raise DutyError(
            f"account {name} exists with other keys than this agent's: give it this key (cleos set account "
            f"permission {name} active {own}), if it is yours"
        )


def registered(row: Mapping[str, Any] | None, key: PublicKey, url: str) -> bool:
    """Whether a row of `producers` registers this producer with its key and URL."""
    if not row or not row["is_active"]:  # unregprod has replaced its key with an empty one
        return False
    return is_key(row["producer_key"], key) and bool(row["url"] == url)
