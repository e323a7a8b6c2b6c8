"""The data layouts of actions that a boot sends: one table, by which they are packed and unpacked.

Source: the ABIs of eosio.bios, eosio.system, eosio.token and eosio.msig (AntelopeIO/reference-contracts). It has only
what all versions agree on; anything else goes through the contract's own ABI.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from antelope.abi_codec import Types, fields_of
from antelope.codec import Reader, pack_bytes, pack_string, pack_varuint32
from antelope.errors import AbiError
from antelope.genesis import CONFIGURATION
from antelope.names import pack_name

SYSTEM, TOKEN, MSIG = "eosio", "eosio.token", "eosio.msig"

LAYOUTS: dict[str, dict[str, str]] = {
    SYSTEM: {
        "newaccount": "creator:name name:name owner:authority active:authority",
        "setcode": "account:name vmtype:uint8 vmversion:uint8 code:bytes",
        "setabi": "account:name abi:bytes",
        "updateauth": "account:name permission:name parent:name auth:authority",
        "activate": "feature_digest:checksum256",
        "setpriv": "account:name is_priv:uint8",
        "setparams": "params:blockchain_parameters",
        "init": "version:varuint32 core:symbol",
        "buyram": "payer:name receiver:name quant:asset",
        "buyrambytes": "payer:name receiver:name bytes:uint32",
        "delegatebw": "from:name receiver:name stake_net_quantity:asset stake_cpu_quantity:asset transfer:bool",
        "undelegatebw": "from:name receiver:name unstake_net_quantity:asset unstake_cpu_quantity:asset",
        "regproducer": "producer:name producer_key:public_key url:string location:uint16",
        "unregprod": "producer:name",
        "voteproducer": "voter:name proxy:name producers:name[]",
        "regproxy": "proxy:name isproxy:bool",
        "claimrewards": "owner:name",
    },
    TOKEN: {
        "create": "issuer:name maximum_supply:asset",
        "issue": "to:name quantity:asset memo:string",
        "transfer": "from:name to:name quantity:asset memo:string",
        "open": "owner:name symbol:symbol ram_payer:name",
    },
    MSIG: {
        "propose": "proposer:name proposal_name:name requested:permission_level[] trx:transaction",
        "approve": "proposer:name proposal_name:name level:permission_level proposal_hash:checksum256$",
        "unapprove": "proposer:name proposal_name:name level:permission_level",
        "exec": "proposer:name proposal_name:name executer:name",
        "cancel": "proposer:name proposal_name:name canceler:name",
    },
}

STRUCTS: dict[str, str] = {
    "permission_level": "actor:name permission:name",
    "key_weight": "key:public_key weight:uint16",
    "permission_level_weight": "permission:permission_level weight:uint16",
    "wait_weight": "wait_sec:uint32 weight:uint16",
    "authority": "threshold:uint32 keys:key_weight[] accounts:permission_level_weight[] waits:wait_weight[]",
    "blockchain_parameters": " ".join(f"{name}:uint{8 * size}" for name, size, _ in CONFIGURATION),
    "action": "account:name name:name authorization:permission_level[] data:bytes",
    "extension": "type:uint16 data:bytes",
    "transaction": "expiration:time_point_sec ref_block_num:uint16 ref_block_prefix:uint32"
    " max_net_usage_words:varuint32 max_cpu_usage_ms:uint8 delay_sec:varuint32 context_free_actions:action[]"
    " actions:action[] transaction_extensions:extension[]",
}


def _unsigned(size: int) -> Callable[[int], bytes]:
    def pack(value: int) -> bytes:
        try:
            return value.to_bytes(size, "little")
        except OverflowError as error:
            raise AbiError(f"{value} does not fit uint{8 * size}") from error

    return pack


def _pack_own(value: Any) -> bytes:
    packed: bytes = value.pack()
    return packed


def _pack_checksum256(value: bytes) -> bytes:
    if len(value) != 32:
        raise AbiError(f"a checksum256 must have 32 bytes, not {len(value)}")
    return value


_PACKERS: dict[str, Callable[[Any], bytes]] = {
    "name": pack_name,
    "name[]": lambda names: pack_varuint32(len(names)) + b"".join(map(pack_name, names)),
    "asset": _pack_own,
    "symbol": _pack_own,
    "authority": _pack_own,
    "public_key": _pack_own,
    "permission_level": _pack_own,
    "blockchain_parameters": lambda values: b"".join(
        [_unsigned(size)(values[name]) for name, size, _ in CONFIGURATION]
    ),
    "permission_level[]": lambda levels: pack_varuint32(len(levels)) + b"".join(map(_pack_own, levels)),
    "transaction": _pack_own,
    "bytes": pack_bytes,
    "string": pack_string,
    "bool": lambda value: b"\x01" if value else b"\x00",
    "uint8": _unsigned(1),
    "uint16": _unsigned(2),
    "uint32": _unsigned(4),
    "varuint32": pack_varuint32,
    "checksum256": _pack_checksum256,
    # A binary extension, which older contracts do not know: None leaves it out.
    "checksum256$": lambda value: b"" if value is None else _pack_checksum256(value),
}


@cache
def _packers(kind: str, action: str) -> tuple[Callable[[Any], bytes], ...]:
    return tuple(_PACKERS[type_] for _, type_ in fields_of(LAYOUTS[kind][action]))


def pack_data(kind: str, action: str, *values: Any) -> bytes:
    """An action's packed data. values: this library's own types, in the layout's order. Raises FormatError."""
    return b"".join([pack(value) for pack, value in zip(_packers(kind, action), values, strict=True)])


@cache
def _types(kind: str) -> Types:
    structs = {**STRUCTS, **LAYOUTS[kind]}
    return Types({}, {name: fields_of(layout) for name, layout in structs.items()}, {})


def unpack_data(kind: str, action: str, data: bytes) -> dict[str, Any]:
    """An action's data as JSON, in nodeos' conventions. Raises AbiError."""
    reader = Reader(data)
    value: dict[str, Any] = _types(kind).unpack(action, reader, action)
    reader.finish()
    return value
