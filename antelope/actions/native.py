"""Actions that nodeos itself carries out, whichever contract is on `eosio`."""

from __future__ import annotations

from antelope.authority import Authority
from antelope.layouts import SYSTEM, pack_data
from antelope.transaction import Action, PermissionLevel


def newaccount(
    creator: str, name: str, owner: Authority, active: Authority, auth: PermissionLevel | None = None
) -> Action:
    """Creates an account; the creator pays for its first RAM unless a buyram in the same transaction does."""
    data = pack_data(SYSTEM, "newaccount", creator, name, owner, active)
    return Action(SYSTEM, "newaccount", (auth or PermissionLevel(creator),), data)


def setcode(account: str, wasm: bytes, auth: PermissionLevel | None = None) -> Action:
    """Sets an account's contract; empty bytes remove it."""
    return Action(
        SYSTEM, "setcode", (auth or PermissionLevel(account),), pack_data(SYSTEM, "setcode", account, 0, 0, wasm)
    )


def setabi(account: str, packed_abi: bytes, auth: PermissionLevel | None = None) -> Action:
    """Sets an account's ABI, from Abi.packed(); empty bytes remove it."""
    return Action(
        SYSTEM, "setabi", (auth or PermissionLevel(account),), pack_data(SYSTEM, "setabi", account, packed_abi)
    )


def updateauth(
    account: str, permission: str, parent: str, authority: Authority, auth_permission: str | None = None
) -> Action:
    """Creates or changes a permission; parent is "" for owner.

    auth_permission: the account's permission that authorises it; by default owner for owner, active for all others.
    """
    signer = auth_permission or ("owner" if permission == "owner" else "active")
    data = pack_data(SYSTEM, "updateauth", account, permission, parent, authority)
    return Action(SYSTEM, "updateauth", (PermissionLevel(account, signer),), data)
