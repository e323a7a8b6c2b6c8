"""The genesis, packed and hashed here: the chain's id, and its limits in the chain's own form."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from antelope.keys import PublicKey

LIMITS = (
    "max_block_net_usage",
    "target_block_net_usage_pct",
    "max_transaction_net_usage",
    "base_per_transaction_net_usage",
    "net_usage_leeway",
    "context_free_discount_net_usage_num",
    "context_free_discount_net_usage_den",
    "max_block_cpu_usage",
    "target_block_cpu_usage_pct",
    "max_transaction_cpu_usage",
    "min_transaction_cpu_usage",
    "max_transaction_lifetime",
    "deferred_trx_expiration_window",
    "max_transaction_delay",
    "max_inline_action_size",
    "max_inline_action_depth",
    "max_authority_depth",
)
"""In the order of their packing (chain_config_v0), which `_PACKED` follows: 64 bits, 14 times 32, twice 16."""
_PACKED = struct.Struct("<Q14I2H")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def packed_limits(configuration: Mapping[str, Any]) -> bytes:
    """A chain's limits as the chain packs them (chain_config_v0), which is how `setparams` has them too."""
    return _PACKED.pack(*(int(configuration[name]) for name in LIMITS))


def chain_id(genesis: Mapping[str, Any]) -> str:
    """sha256 (hex) of the packed genesis_state (libraries/chain/include/eosio/chain/genesis_state.hpp of Leap)."""
    moment = datetime.fromisoformat(str(genesis["initial_timestamp"]))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    limits = packed_limits(genesis["initial_configuration"])
    key = PublicKey.parse(str(genesis["initial_key"])).pack()
    return hashlib.sha256(struct.pack("<q", microseconds) + key + limits).hexdigest()
