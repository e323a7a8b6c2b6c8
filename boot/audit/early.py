"""Accounts from before the system contract, which keeps a resources row (userres) of every account that came since.

An account from that time would escape the enumeration, and its RAM, CPU and NET are unlimited. So the blocks up to the
one that set the sealed system contract are read for newaccount. What a contract's inline action made is not in blocks.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from antelope.codec import Reader
from antelope.errors import FormatError
from antelope.names import int_to_name
from antelope.transaction import Action
from boot.audit.chain import Chain, Json
from boot.audit.error import AuditError
from boot.blueprint import Blueprint

STRETCH = 64
"""Blocks asked for at a time."""
LIMIT = 20_000
"""Blocks, about 2 hours 45 minutes: a boot that took longer before its system contract is not read to the end."""


@dataclass(frozen=True)
class Early:
    """Accounts from before the system contract."""

    accounts: frozenset[str]
    block: int | None
    """The block that set the system contract; None: not found, so that accounts may be missing here."""
    reason: str = ""
    """Why it was not found."""


async def early_accounts(chain: Chain, blueprint: Blueprint, head: int) -> Early:
    """Reads blocks from the second on, until the one with the system contract."""
    wasm = next((contract.wasm for contract in blueprint.sealed.contracts if contract.account == "eosio"), "")
    accounts: set[str] = set()
    last = min(head, LIMIT)
    for start in range(2, last + 1, STRETCH):
        numbers = range(start, min(start + STRETCH, last + 1))
        blocks = await chain.all(partial(chain.block, number) for number in numbers)
        for number, block in zip(numbers, blocks, strict=True):
            if block is None:
                return Early(frozenset(accounts), None, f"the node has no block {number}: ask one that has them all")
            actions = tuple(_actions(block, number))
            accounts.update(_created(actions))
            if any(_sets(action, wasm) for action in actions):
                return Early(frozenset(accounts), number)
    return Early(frozenset(accounts), None, f"no block up to {last} set the planned system contract")


def _actions(block: Json, number: int) -> Iterator[Action]:
    """Actions of a block's executed transactions."""
    try:
        for receipt in block["transactions"]:
            kind, packed = receipt["trx"]
            if receipt["status"] == "executed" and kind == 1:  # 0: a deferred transaction, named by its id only
                yield from _unpacked(packed)
    except (KeyError, TypeError, ValueError, zlib.error, FormatError) as error:
        raise AuditError(f"block {number} could not be read, so nothing was judged: {error}") from error


def _unpacked(packed: Json) -> Iterator[Action]:
    """Format: packed_transaction and transaction, libraries/chain/include/eosio/chain/transaction.hpp of Leap."""
    data = bytes.fromhex(packed["packed_trx"])
    if packed["compression"] == "zlib":
        data = zlib.decompress(data)
    reader = Reader(data)
    reader.take(4 + 2 + 4)  # expiration, reference block
    reader.varuint32()
    reader.take(1)
    reader.varuint32()
    for _ in range(2):  # context-free actions, actions
        for _ in range(reader.count()):
            yield Action.read(reader)


def _created(actions: tuple[Action, ...]) -> Iterator[str]:
    for action in actions:
        if (action.account, action.name) == ("eosio", "newaccount"):
            yield int_to_name(int.from_bytes(action.data[8:16], "little"))


def _sets(action: Action, wasm: str) -> bool:
    """Whether it is the setcode of eosio with the wasm of this sha256 (hex)."""
    if (action.account, action.name) != ("eosio", "setcode"):
        return False
    reader = Reader(action.data)
    account = int_to_name(reader.unsigned(8))
    reader.take(2)  # vm type and version
    return account == "eosio" and hashlib.sha256(reader.bytes_()).hexdigest() == wasm
