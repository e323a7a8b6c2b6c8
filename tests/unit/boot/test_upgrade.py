"""The transaction that replaces a contract."""

from __future__ import annotations

import hashlib

import pytest

from antelope.abi import Abi
from antelope.errors import AntelopeError
from antelope.layouts import unpack_data
from boot.upgrade import upgrade_transaction
from coordinator.parties.upgrades import Contract
from tests.unit.inventory.material import ABI, wasm


def test_it_sets_code_and_abi_and_refers_to_no_block() -> None:
    """The same bytes for whoever has the same files, whatever block is its head."""
    code = wasm("activate")
    made = upgrade_transaction("eosio.token", code, ABI, 1_900_000_000)
    assert (made.expiration, made.ref_block_num, made.ref_block_prefix) == (1_900_000_000, 0, 0)
    first, second = (unpack_data("eosio", action.name, action.data) for action in made.actions)
    assert [action.name for action in made.actions] == ["setcode", "setabi"]
    assert {first["account"], second["account"]} == {"eosio.token"}
    assert hashlib.sha256(bytes.fromhex(first["code"])).digest() == hashlib.sha256(code).digest()
    assert bytes.fromhex(second["abi"]) == Abi.parse(ABI).packed()
    assert {str(level) for action in made.actions for level in action.authorization} == {"eosio.token@active"}


def test_coordinator_and_agents_derive_the_same_bytes() -> None:
    """An agent refuses what differs in one byte from what it derives."""
    contract = Contract("eosio", wasm("activate"), ABI)
    assert contract.packed(7) == upgrade_transaction("eosio", contract.wasm, contract.abi, 7).packed


def test_an_abi_that_is_none_is_an_error() -> None:
    """Nothing is proposed then."""
    with pytest.raises(AntelopeError):
        upgrade_transaction("eosio", wasm("activate"), b"{}x", 1)
