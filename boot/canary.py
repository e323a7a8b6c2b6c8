"""The canary: a harmless proposal that proves, before `eosio` resigns, that `eosio.prods@active` can act.

It opens a token balance of eosio.prods, paid by eosio.prods: only the authority of eosio.prods can create that row, and
there is no reason to remove it, so it remains as the proof. Everybody derives the same bytes and approves only these.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from antelope import actions
from antelope.errors import UnknownEndpoint
from antelope.transaction import Action, PermissionLevel, Transaction
from boot.blueprint import Blueprint
from boot.reads import Asking, Json, account, ask, permission, resigned, row, rows

PROPOSER = "eosio"
PROPOSAL = "canary"
PRODUCERS = "eosio.prods"
TEN_YEARS = 10 * 365 * 86_400
"""Seconds from the genesis to the proposal's expiration: the same for everybody, and later than the end of any boot."""


def transaction(blueprint: Blueprint) -> Transaction:
    """The proposed transaction. It references no block, because msig ignores that."""
    opening = actions.open(PRODUCERS, blueprint.symbol, PRODUCERS)
    return Transaction(_genesis_seconds(blueprint) + TEN_YEARS, 0, 0, (opening,))


def packed(blueprint: Blueprint) -> bytes:
    """The proposal's bytes, as eosio.msig keeps them."""
    return transaction(blueprint).packed


def proposal_hash(blueprint: Blueprint) -> bytes:
    """sha256 over the proposal's bytes: an approval that names it approves nothing else."""
    return hashlib.sha256(packed(blueprint)).digest()


def deputy(blueprint: Blueprint) -> str:
    """The account that proposes and executes it if eosio has resigned before."""
    return blueprint.sealed.elected[0]


def propose(blueprint: Blueprint, proposer: str = PROPOSER) -> Action:
    """Proposes it, asking every elected producer."""
    requested = [PermissionLevel(producer) for producer in sorted(blueprint.sealed.elected)]
    return actions.propose(proposer, PROPOSAL, requested, transaction(blueprint))


def approve(blueprint: Blueprint, producer: str, proposer: str = PROPOSER) -> Action:
    """One producer's approval, of exactly these bytes."""
    return actions.approve(proposer, PROPOSAL, PermissionLevel(producer), proposal_hash(blueprint))


def execute(proposer: str = PROPOSER, executer: str = PROPOSER) -> Action:
    """Executes it, once enough have approved."""
    return actions.exec(proposer, PROPOSAL, executer)


def proposer(blueprint: Blueprint) -> Asking[str]:
    """The account whose proposal counts: eosio, or the deputy if eosio has resigned without proposing."""
    if (yield from proposed(blueprint, PROPOSER)) or not (yield from resigned()):
        return PROPOSER
    return deputy(blueprint)


def proven(blueprint: Blueprint) -> Asking[bool]:
    """Whether the lasting proof exists: the balance row of eosio.prods."""
    balances = yield from rows("eosio.token", PRODUCERS, "accounts")
    return any(str(entry["balance"]).endswith(f" {blueprint.symbol.code}") for entry in balances)


def proposed(blueprint: Blueprint, proposer: str) -> Asking[bool]:
    """Whether the proposal, with exactly these bytes, is in eosio.msig's table; an executed one is erased."""
    entry = yield from row("eosio.msig", proposer, "proposal", PROPOSAL)
    return entry is not None and entry["packed_transaction"] == packed(blueprint).hex()


def approvals(proposer: str) -> Asking[set[str]]:
    """The producers whose approval is recorded."""
    entry = yield from row("eosio.msig", proposer, "approvals2", PROPOSAL)
    given: list[Json] = entry["provided_approvals"] if entry else []
    return {str(approval["level"]["actor"]) for approval in given}


def threshold() -> Asking[int]:
    """How many producers must approve: the chain keeps 2/3 + 1 of the schedule as eosio.prods' threshold."""
    found = yield from account(PRODUCERS)
    return int(permission(found or {"permissions": []}, "active").get("threshold", 1))


def members() -> Asking[frozenset[str]]:
    """The accounts that eosio.prods' authority counts: the producers of the active schedule."""
    found = yield from account(PRODUCERS)
    authority = permission(found or {"permissions": []}, "active")
    return frozenset(str(one["permission"]["actor"]) for one in authority.get("accounts", ()))


def executing() -> Asking[bool]:
    """Whether an executed proposal waits as a deferred transaction: an older eosio.msig executes that way.

    A nodeos without deferred transactions need not have the call either.
    """
    try:
        queue = yield from ask("/v1/chain/get_scheduled_transactions", {"json": True, "limit": 100})
    except UnknownEndpoint:
        return False
    return any(entry["sender"] == "eosio.msig" for entry in queue["transactions"])


def _genesis_seconds(blueprint: Blueprint) -> int:
    text = str(blueprint.sealed.genesis["initial_timestamp"])
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
