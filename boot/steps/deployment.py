"""The shared part of steps that put contracts on accounts: code and ABI in one transaction, judged by their hashes.

A chain can have the code without the ABI, after an interrupted `set code`. nodeos refuses to set the same code again,
so for that case there is a transaction that sets only the ABI.
"""

from __future__ import annotations

import hashlib

from antelope import actions
from antelope.abi import Abi
from boot.blueprint import Blueprint
from boot.reads import NO_CODE, Asking, code_and_abi, governed
from boot.step import Push
from inventory.sealed import SealedContract

NO_ABI = hashlib.sha256(b"").hexdigest()
ABI_ONLY = "/abi"
"""Suffix of the key of a transaction that sets only an ABI."""


def packed_abi(blueprint: Blueprint, contract: SealedContract) -> bytes:
    """The contract's ABI as the chain keeps it."""
    return Abi.parse(blueprint.verified(contract.abi)).packed()


def pushes(blueprint: Blueprint, contract: SealedContract, key: str | None = None) -> tuple[Push, Push]:
    """The deployment, and the alternative that sets only the ABI. The key is the account unless given."""
    name = key or contract.account
    code = actions.setcode(contract.account, blueprint.verified(contract.wasm))
    abi = actions.setabi(contract.account, packed_abi(blueprint, contract))
    return Push(name, (code, abi), "eosio"), Push(name + ABI_ONLY, (abi,), "eosio", spare=True)


def missing(blueprint: Blueprint, contract: SealedContract, key: str | None = None) -> Asking[list[str]]:
    """The key of the push that the account still needs, if any."""
    name = key or contract.account
    wanted_abi = hashlib.sha256(packed_abi(blueprint, contract)).hexdigest()
    code, abi = yield from code_and_abi(contract.account, wanted_abi)
    if code != contract.wasm:
        return [name]
    return [] if abi == wanted_abi else [name + ABI_ONLY]


def needed(blueprint: Blueprint, contract: SealedContract) -> Asking[list[str]]:
    """As `missing`, for a contract that stays. Once the producers govern, they may replace it, but not remove it."""
    keys = yield from missing(blueprint, contract)
    if not keys or not (yield from governed()):
        return keys
    code, abi = yield from code_and_abi(contract.account, "")
    without = code in (NO_CODE, _of_boot(blueprint)) or abi == NO_ABI
    return keys if without else []


def _of_boot(blueprint: Blueprint) -> str:
    """The boot contract's code, unless another contract of the network is the same."""
    wasm = blueprint.sealed.boot_contract.wasm
    return "" if any(contract.wasm == wasm for contract in blueprint.sealed.contracts) else wasm
