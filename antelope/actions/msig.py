"""Actions of eosio.msig, or of the same contract on another account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from antelope.layouts import MSIG, pack_data
from antelope.transaction import Action, PermissionLevel, Transaction


def _action(contract: str, name: str, auth: PermissionLevel, *values: Any) -> Action:
    return Action(contract, name, (auth,), pack_data(MSIG, name, *values))


def propose(
    proposer: str,
    proposal_name: str,
    requested: Iterable[PermissionLevel],
    trx: Transaction,
    contract: str = MSIG,
    auth: PermissionLevel | None = None,
) -> Action:
    """Proposes a transaction for approval by the requested permissions; its TaPoS fields may be 0."""
    levels = tuple(requested)
    return _action(contract, "propose", auth or PermissionLevel(proposer), proposer, proposal_name, levels, trx)


def approve(
    proposer: str,
    proposal_name: str,
    level: PermissionLevel,
    proposal_hash: bytes | None = None,
    contract: str = MSIG,
    auth: PermissionLevel | None = None,
) -> Action:
    """Approves a proposal as level; given proposal_hash (sha256 of the packed transaction), only that transaction."""
    return _action(contract, "approve", auth or level, proposer, proposal_name, level, proposal_hash)


def unapprove(
    proposer: str,
    proposal_name: str,
    level: PermissionLevel,
    contract: str = MSIG,
    auth: PermissionLevel | None = None,
) -> Action:
    """Withdraws an approval."""
    return _action(contract, "unapprove", auth or level, proposer, proposal_name, level)


def exec(  # noqa: A001 - the action's name on the chain
    proposer: str, proposal_name: str, executer: str, contract: str = MSIG, auth: PermissionLevel | None = None
) -> Action:
    """Executes an approved proposal. Its receipt proves no effect: an older eosio.msig defers the transaction."""
    return _action(contract, "exec", auth or PermissionLevel(executer), proposer, proposal_name, executer)


def cancel(
    proposer: str, proposal_name: str, canceler: str, contract: str = MSIG, auth: PermissionLevel | None = None
) -> Action:
    """Removes a proposal: allowed to its proposer at any time, and to anyone once it has expired."""
    return _action(contract, "cancel", auth or PermissionLevel(canceler), proposer, proposal_name, canceler)
