"""What inventories are tested with: contracts, keys, features, made up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from antelope.features import DIGESTS
from antelope.keys import PrivateKey
from inventory.network import Network
from inventory.seal import Collected

MAGIC = b"\0asm\x01\0\0\0"
ABI = b'{"version": "eosio::abi/1.2"}'


def wasm(*imported: str, data: bytes = b"") -> bytes:
    """A module that imports functions of env, with bytes in a custom section."""
    entries = b"".join(b"\x03env" + bytes([len(name)]) + name.encode() + b"\0\0" for name in imported)
    content = bytes([len(imported)]) + entries
    custom = b"\x01x" + data
    return MAGIC + b"\x02" + bytes([len(content)]) + content + b"\0" + bytes([len(custom)]) + custom


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
    feature("SAVANNA", "DISABLE_DEFERRED_TRXS_STAGE_2"),
    feature("DISABLE_DEFERRED_TRXS_STAGE_2", "DISABLE_DEFERRED_TRXS_STAGE_1"),
    feature("DISABLE_DEFERRED_TRXS_STAGE_1"),
    feature("NO_DUPLICATE_DEFERRED_ID", "REPLACE_DEFERRED"),
    feature("REPLACE_DEFERRED"),
    feature("GET_SENDER"),
    feature("PREACTIVATE_FEATURE"),
]

Write = Callable[[str], Path]
Load = Callable[[str], Network]
Collect = Callable[..., Collected]
