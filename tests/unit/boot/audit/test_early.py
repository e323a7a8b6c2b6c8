"""Accounts from before the system contract are found in blocks however their transaction is packed."""

from __future__ import annotations

import zlib

import pytest

from antelope.codec import pack_varuint32
from boot.audit import AuditError
from boot.audit.chain import Chain
from boot.audit.early import Early, early_accounts
from tests.unit.boot.audit.fake_chain import FakeChain, Json, newaccount, setcode, transaction
from tests.unit.boot.audit.planned import SYSTEM, blueprint

EXPECTED = frozenset(f"eosio.{name}" for name in SYSTEM)


async def _found(*transactions: Json) -> Early:
    plan = blueprint()
    chain = FakeChain(plan)
    chain.blocks[5] = list(transactions)
    return await early_accounts(Chain(chain), plan, 9)


async def test_up_to_the_system_contract() -> None:
    """Blocks are read until the one that sets the sealed system contract, and not beyond."""
    plan = blueprint()
    chain = FakeChain(plan)
    chain.blocks[7] = [transaction(newaccount("later"))]
    assert await early_accounts(Chain(chain), plan, 9) == Early(EXPECTED, 6)


async def test_compressed() -> None:
    """A compressed transaction hides nothing."""
    made = transaction(newaccount("ghost"))
    packed = made["trx"][1]
    packed |= {"compression": "zlib", "packed_trx": zlib.compress(bytes.fromhex(packed["packed_trx"])).hex()}
    assert (await _found(made)).accounts == EXPECTED | {"ghost"}


async def test_behind_context_free_actions() -> None:
    """A transaction with context-free actions, which we never send ourselves, is read as well."""
    free, ghost = setcode("free", b"").pack(), newaccount("ghost").pack()
    packed = bytes(10) + bytes(3) + pack_varuint32(1) + free + pack_varuint32(1) + ghost + b"\0"
    made: Json = {"status": "executed", "trx": [1, {"compression": "none", "packed_trx": packed.hex()}]}
    assert (await _found(made)).accounts == EXPECTED | {"ghost"}


async def test_what_had_no_effect() -> None:
    """A transaction that failed, and a deferred one, of which blocks hold the id alone, create nothing."""
    failed = transaction(newaccount("ghost")) | {"status": "hard_fail"}
    assert (await _found(failed, {"status": "executed", "trx": [0, "ab" * 32]})).accounts == EXPECTED


@pytest.mark.parametrize("packed", ["zz", "00", "ff" * 40])
async def test_unreadable_block(packed: str) -> None:
    """A block that cannot be read ends the audit with one line that names it."""
    with pytest.raises(AuditError, match="block 5 could not be read, so nothing was judged"):
        await _found({"status": "executed", "trx": [1, {"compression": "none", "packed_trx": packed}]})
