"""Packs an allocation's rows as actions, quickly: parts that are the same in every row are packed once.

`boot.steps.accounts.row_actions` defines the actions; a test checks that both give the same bytes. Rows are used as
they are in the artifact.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from antelope.asset import Symbol
from antelope.codec import pack_string, pack_varuint32
from antelope.names import pack_name
from antelope.transaction import PermissionLevel
from inventory.rows import KEY_BYTES, Fields

_KEY_BEFORE, _KEY_AFTER = b"\x01\0\0\0\x01", b"\x01\0\0\0"
"""What surrounds the key in an authority of one key: threshold 1 and one key; then weight 1, no accounts, no waits."""
_NAME, _AMOUNT, _STAKE = struct.Struct("<Q"), struct.Struct("<q"), struct.Struct("<q8sq8s")


def row_packer(symbol: Symbol, memo: str) -> Callable[[Iterable[Fields]], bytes]:
    """A function that packs rows with tokens of this symbol, as `pack_actions` would. memo: of the transfer."""
    eosio, token, after = pack_name("eosio"), symbol.pack(), pack_string(memo)
    authority_bytes = len(_KEY_BEFORE) + KEY_BYTES + len(_KEY_AFTER)
    create = _before("eosio", "newaccount", 16 + 2 * authority_bytes) + eosio
    ram = _before("eosio", "buyram", 32) + eosio
    stake = _before("eosio", "delegatebw", 49) + eosio
    liquid = _before("eosio.token", "transfer", 32 + len(after)) + eosio

    def pack(rows: Iterable[Fields]) -> bytes:
        parts, count = [b""], 0
        for number, key, ram_amount, net, cpu, liquid_amount in rows:
            name = _NAME.pack(number)
            parts += create, name, _KEY_BEFORE, key, _KEY_AFTER, _KEY_BEFORE, key, _KEY_AFTER
            count += 1
            if ram_amount:
                parts += ram, name, _AMOUNT.pack(ram_amount), token
                count += 1
            if net or cpu:
                parts += stake, name, _STAKE.pack(net, token, cpu, token), b"\x01"
                count += 1
            if liquid_amount:
                parts += liquid, name, _AMOUNT.pack(liquid_amount), token, after
                count += 1
        parts[0] = pack_varuint32(count)
        return b"".join(parts)

    return pack


def _before(contract: str, action: str, size: int) -> bytes:
    """A packed action up to its data of that size: contract, name, and eosio@active that authorizes it."""
    level = PermissionLevel("eosio").pack()
    return pack_name(contract) + pack_name(action) + b"\x01" + level + pack_varuint32(size)
