"""eosio pays for users' transactions during the boot: its CPU and NET are unlimited until it resigns.

nodeos bills a transaction's first authorizer. A user's stake of a few tokens does not pay for one vote on a chain that
has just begun, and never for a transaction with the votes of many.
"""

from __future__ import annotations

from dataclasses import replace

from antelope.transaction import Action, PermissionLevel

OWN = "own-"
"""Prefix of the key of a transaction that its user pays for, because eosio no longer pays after its resignation."""


def billed(action: Action, holder: str) -> Action:
    """The action with the holder as its first authorizer; unchanged if the holder is the actor."""
    if any(level.actor == holder for level in action.authorization):
        return action
    return replace(action, authorization=(PermissionLevel(holder), *action.authorization))
