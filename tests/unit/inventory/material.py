"""Made-up contracts, keys and features for tests of inventories."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antelope.abi_codec import fields_of
from antelope.codec import pack_varuint32
from antelope.features import DIGESTS
from antelope.keys import PrivateKey
from antelope.layouts import LAYOUTS, STRUCTS
from inventory.contract_files import ContractFiles, Files
from inventory.network import Network
from inventory.offers import READ
from inventory.seal import Collected

MAGIC = b"\0asm\x01\0\0\0"
ABI = b'{"version": "eosio::abi/1.2"}'
BOOT_ABI = b"""{"version": "eosio::abi/1.2", "structs": [{"name": "activate", "base": "", "fields": []}],
"actions": [{"name": "activate", "type": "activate", "ricardian_contract": ""}]}"""
TRX_ABI = b"""{"version": "eosio::abi/1.2", "structs": [
{"name": "transaction", "base": "", "fields": []},
{"name": "exec", "base": "", "fields": [{"name": "executer", "type": "name"}, {"name": "trx", "type": "transaction"}]}],
"actions": [{"name": "exec", "type": "exec", "ricardian_contract": ""}]}"""
"""As eosio.wrap's: an action takes a whole transaction."""


def wasm(*imported: str, data: bytes = b"") -> bytes:
    """A module that imports functions of env, with bytes in a custom section."""
    entries = b"".join(b"\x03env" + bytes([len(name)]) + name.encode() + b"\0\0" for name in imported)
    content = bytes([len(imported)]) + entries
    custom = b"\x01x" + data
    return MAGIC + b"\x02" + pack_varuint32(len(content)) + content + b"\0" + pack_varuint32(len(custom)) + custom


def abi_of(account: str) -> bytes:
    """The ABI of one of the three contracts that every network has, with all that the boot pushes."""
    layouts = STRUCTS | LAYOUTS[account]
    structs = [
        {"name": name, "base": "", "fields": [{"name": key, "type": kind} for key, kind in fields_of(layout)]}
        for name, layout in layouts.items()
    ]
    actions = [{"name": name, "type": name, "ricardian_contract": ""} for name in LAYOUTS[account]]
    tables = [
        {"name": name, "type": "permission_level", "index_type": "i64", "key_names": [], "key_types": []}
        for name in READ[account]
    ]
    return json.dumps({"version": "eosio::abi/1.2", "structs": structs, "actions": actions, "tables": tables}).encode()


SYSTEM_ABI, TOKEN_ABI, MSIG_ABI = (abi_of(account) for account in ("eosio", "eosio.token", "eosio.msig"))
_USUAL = {
    "eosio": (wasm(), SYSTEM_ABI),
    "eosio.token": (wasm(), TOKEN_ABI),
    "eosio.msig": (wasm("send_deferred"), MSIG_ABI),
}


BOOT = (wasm("preactivate_feature"), BOOT_ABI)
"""A contract that can be on eosio before the features are active."""


def contracts(of: Network, code: bytes | None = None, **replaced: Files) -> ContractFiles:
    """The files of a network's contracts. code: of all of them; replaced: by account, with _ for a dot; or boot."""
    usual = {source.account: _USUAL.get(source.account, (wasm(), ABI)) for source in of.contracts}
    deployed = {account: (code or wasm_, abi) for account, (wasm_, abi) in usual.items()}
    boot = replaced.pop("boot", BOOT)
    return ContractFiles(boot, deployed | {name.replace("_", "."): given for name, given in replaced.items()})


def key(name: str) -> str:
    """A public key that is always the same for the same name."""
    return str(PrivateKey(hashlib.sha256(name.encode()).digest()).public)


def feature(name: str, *needs: str) -> dict[str, Any]:
    """An entry of get_supported_protocol_features."""
    return {
        "feature_digest": DIGESTS[name],
        "dependencies": [DIGESTS[need] for need in needs],
        "specification": [{"name": "builtin_feature_codename", "value": name}],
    }


SUPPORTED = [
    feature("DISABLE_DEFERRED_TRXS_STAGE_2", "DISABLE_DEFERRED_TRXS_STAGE_1"),
    feature("DISABLE_DEFERRED_TRXS_STAGE_1"),
    feature("NO_DUPLICATE_DEFERRED_ID", "REPLACE_DEFERRED"),
    feature("REPLACE_DEFERRED"),
    feature("GET_SENDER"),
    feature("PREACTIVATE_FEATURE"),
]

"""As of a Leap 5: there is no SAVANNA."""

Write = Callable[[str], Path]
Load = Callable[[str], Network]
Collect = Callable[..., Collected]
