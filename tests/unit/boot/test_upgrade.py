"""Which proposals count as replacing a contract: code and ABI, by the contract's own authority, at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from antelope import actions
from antelope.abi import Abi
from antelope.asset import Asset
from antelope.transaction import Action, PermissionLevel, Transaction
from boot.upgrade import Replacement, entry, replacement, upgrade_transaction
from tests.unit.antelope import bombs

WASM = b"\0asm\x01\0\0\0"
ABI = b'{"version": "eosio::abi/1.0"}'
CODE, DESCRIBED = hashlib.sha256(WASM).hexdigest(), hashlib.sha256(Abi.parse(ABI).packed()).hexdigest()
GOOD = upgrade_transaction("eosio", WASM, ABI, 5000)
SETCODE, SETABI = GOOD.actions
ELSEWHERE = upgrade_transaction("eosio.token", WASM, ABI, 5000)


def test_code_abi_and_expiration_count() -> None:
    """The derived transaction is named by code and ABI, as the chain shows them, and by its expiration."""
    assert replacement(GOOD) == Replacement(frozenset({f"eosio={CODE}/{DESCRIBED}"}), 5000)
    both = replace(GOOD, actions=GOOD.actions + ELSEWHERE.actions)
    found = replacement(both)
    assert found
    assert found.contracts == {entry("eosio", CODE, DESCRIBED), entry("eosio.token", CODE, DESCRIBED)}
    assert replacement(Transaction.unpack(GOOD.packed)) == replacement(GOOD)


def test_another_abi_is_another_contract() -> None:
    """The same code with an ABI that misdescribes its actions has another name."""
    other = replacement(replace(GOOD, actions=(SETCODE, actions.setabi("eosio", Abi(bombs.chained(2)).packed()))))
    assert other
    assert other.contracts != {entry("eosio", CODE, DESCRIBED)}


def _authorised(action: Action, *levels: PermissionLevel) -> Action:
    return replace(action, authorization=levels)


OTHER_MACHINE = replace(SETCODE, data=SETCODE.data[:8] + b"\1\0" + SETCODE.data[10:])


@pytest.mark.parametrize(
    "changed",
    [
        replace(GOOD, delay_sec=1),
        replace(GOOD, actions=()),
        replace(GOOD, actions=(SETCODE,)),
        replace(GOOD, actions=(SETABI,)),
        replace(GOOD, actions=(SETCODE, SETABI, SETCODE)),
        replace(GOOD, actions=(SETCODE, SETABI, SETABI)),
        replace(GOOD, actions=(SETCODE, ELSEWHERE.actions[1])),
        replace(GOOD, actions=(SETCODE, SETABI, actions.transfer("eosio", "mallory", Asset.parse("1.0000 SYS")))),
        replace(GOOD, actions=(SETCODE, SETABI, actions.setpriv("mallory", True))),
        replace(GOOD, actions=(_authorised(SETCODE, PermissionLevel("eosio"), PermissionLevel("alice")), SETABI)),
        replace(GOOD, actions=(_authorised(SETCODE, PermissionLevel("eosio", "owner")), SETABI)),
        replace(GOOD, actions=(OTHER_MACHINE, SETABI)),
    ],
)
def test_anything_else_is_no_replacement(changed: Transaction) -> None:
    """Delays, code or ABI alone, duplicates, further actions, others' authority, another VM: no policy names them."""
    assert replacement(changed) is None
