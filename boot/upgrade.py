"""The transaction that replaces a contract once the producers govern.

The coordinator and every agent derive it for themselves: a proposal with other bytes is not approved.
"""

from __future__ import annotations

from antelope import actions
from antelope.abi import Abi
from antelope.transaction import Transaction


def upgrade_transaction(account: str, wasm: bytes, abi: bytes, expiration: int) -> Transaction:
    """Sets the account's code and its ABI (the JSON file's bytes). It references no block: eosio.msig looks at none.

    expiration: Unix seconds. Raises AntelopeError on an ABI that is none.
    """
    code = actions.setcode(account, wasm)
    described = actions.setabi(account, Abi.parse(abi).packed())
    return Transaction(expiration, 0, 0, (code, described))
