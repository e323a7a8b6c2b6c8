"""What inventories are tested with: contracts, keys, features, made up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antelope.features import DIGESTS
from antelope.keys import PrivateKey
from inventory.contract_files import ContractFiles, Files
from inventory.network import Network
from inventory.seal import Collected

MAGIC = b"\0asm\x01\0\0\0"
ABI = b'{"version": "eosio::abi/1.2"}'
BOOT_ABI = b"""{"version": "eosio::abi/1.2", "structs": [{"name": "activate", "base": "", "fields": []}],
"actions": [{"name": "activate", "type": "activate", "ricardian_contract": ""}]}"""
TRX_ABI = b"""{"version": "eosio::abi/1.2", "structs": [
{"name": "transaction", "base": "", "fields": []},
{"name": "exec", "base": "", "fields": [{"name": "executer", "type": "name"}, {"name": "trx", "type": "transaction"}]}],
"actions": [{"name": "exec", "type": "exec", "ricardian_contract": ""}]}"""
"""As eosio.wrap's and eosio.msig's: an action takes a whole transaction."""


def wasm(*imported: str, data: bytes = b"") -> bytes:
    """A module that imports functions of env, with bytes in a custom section."""
    entries = b"".join(b"\x03env" + bytes([len(name)]) + name.encode() + b"\0\0" for name in imported)
    content = bytes([len(imported)]) + entries
    custom = b"\x01x" + data
    return MAGIC + b"\x02" + bytes([len(content)]) + content + b"\0" + bytes([len(custom)]) + custom


BOOT = (wasm("preactivate_feature"), BOOT_ABI)
"""A contract that can be on eosio before the features are active."""


def contracts(of: Network, files: Files | None = None, **replaced: Files) -> ContractFiles:
    """The files of a network's contracts: those of eosio.msig take transactions. replaced: by account, with _ for a
    dot; or boot.
    """
    msig = (wasm("send_deferred"), TRX_ABI)
    usual = {source.account: msig if source.account == "eosio.msig" else (wasm(), ABI) for source in of.contracts}
    deployed = dict.fromkeys(usual, files) if files else usual
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
