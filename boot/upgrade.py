"""The transaction that replaces a contract once the producers govern.

The coordinator and every agent derive it on their own. A proposal with other bytes is not approved.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from antelope import actions
from antelope.abi import Abi
from antelope.layouts import SYSTEM, unpack_data
from antelope.transaction import PermissionLevel, Transaction

LASTING = 7 * 86_400
"""Seconds until such a proposal expires: parties' operators may have to approve it by hand."""


def upgrade_transaction(account: str, wasm: bytes, abi: bytes, expiration: int) -> Transaction:
    """Sets the account's code and its ABI (the JSON file's bytes). It references no block: eosio.msig ignores that.

    expiration: Unix seconds. Raises AntelopeError on an invalid ABI.
    """
    code = actions.setcode(account, wasm)
    described = actions.setabi(account, Abi.parse(abi).packed())
    return Transaction(expiration, 0, 0, (code, described))


def entry(account: str, code: str, abi: str) -> str:
    """A contract as a party's policy names it: ACCOUNT=CODE/ABI.

    code, abi: sha256 (hex) of the code and of the packed ABI, as get_raw_abi shows them.
    """
    return f"{account}={code}/{abi}"


@dataclass(frozen=True)
class Replacement:
    """What a proposal does, if it sets contracts and nothing else."""

    contracts: frozenset[str]
    """The contracts, as `entry` writes them. Each gets code and ABI, by its own account's authority, without delay."""
    expiration: int
    """The time until which it can be executed; Unix seconds."""


def replacement(transaction: Transaction) -> Replacement | None:
    """What the transaction replaces; None if it does anything else, or does it differently from `upgrade_transaction`.

    Different are: code without an ABI, an ABI without code, an account twice, another virtual machine, somebody else's
    authority, a delay. Raises AbiError on data that cannot be read.
    """
    found: dict[str, dict[str, str]] = {"setcode": {}, "setabi": {}}
    for action in transaction.actions:
        if action.account != SYSTEM or action.name not in found:
            return None
        data = unpack_data(SYSTEM, action.name, action.data)
        account, content = str(data["account"]), data["code" if action.name == "setcode" else "abi"]
        if action.authorization != (PermissionLevel(account),) or data.get("vmtype") or data.get("vmversion"):
            return None
        found[action.name][account] = hashlib.sha256(bytes.fromhex(content)).hexdigest()
    codes, abis = found["setcode"], found["setabi"]
    once = Counter(action.name for action in transaction.actions) == {"setcode": len(codes), "setabi": len(abis)}
    if not codes or codes.keys() != abis.keys() or not once or transaction.delay_sec:
        return None
    entries = frozenset(entry(account, code, abis[account]) for account, code in codes.items())
    return Replacement(entries, transaction.expiration)
