"""Whether it is the sealed chain at all: its id, its protocol features, its limits."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from antelope.keys import PublicKey
from boot.audit.report import Check, Question, judged
from boot.audit.seen import Seen
from boot.blueprint import Blueprint

_CONFIGURATION = (
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


def chain_id(genesis: Mapping[str, Any]) -> str:
    """sha256 (hex) of the packed genesis_state (libraries/chain/include/eosio/chain/genesis_state.hpp of Leap)."""
    moment = datetime.fromisoformat(str(genesis["initial_timestamp"]))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    configuration = genesis["initial_configuration"]
    limits = _PACKED.pack(*(int(configuration[name]) for name in _CONFIGURATION))
    key = PublicKey.parse(str(genesis["initial_key"])).pack()
    return hashlib.sha256(struct.pack("<q", microseconds) + key + limits).hexdigest()


def check(blueprint: Blueprint, seen: Seen) -> Check:
    """chain id: of how the chain was born, the first."""
    fine = f"{blueprint.sealed.chain_id}, as the genesis computes"
    return judged("chain id", _chain_id(blueprint, seen), fine, Question.BORN)


def checks(blueprint: Blueprint, seen: Seen) -> Iterator[Check]:
    """protocol features, chain parameters."""
    features = len(blueprint.sealed.features)
    yield judged("protocol features", _features(blueprint, seen), f"the {features} sealed ones are active, no other")
    yield judged("chain parameters", _parameters(blueprint, seen), "as in the genesis")


def _chain_id(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    sealed = blueprint.sealed
    computed, shown = chain_id(sealed.genesis), str(seen.info["chain_id"])
    if computed != sealed.chain_id:
        yield f"the sealed genesis computes {computed}, sealed is {sealed.chain_id}"
    if shown != sealed.chain_id:
        yield f"the node is on chain {shown}, sealed is {sealed.chain_id}"


def _features(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    active = {str(feature["feature_digest"]): _codename(feature) for feature in seen.features}
    sealed = {feature.digest: feature.name for feature in blueprint.sealed.features}
    yield from (f"{name} is not active" for digest, name in sealed.items() if digest not in active)
    yield from (f"{name} is active, but not sealed" for digest, name in active.items() if digest not in sealed)


def _codename(feature: Mapping[str, Any]) -> str:
    parts = {str(part["name"]): str(part["value"]) for part in feature["specification"]}
    return parts.get("builtin_feature_codename", str(feature["feature_digest"]))


def _parameters(blueprint: Blueprint, seen: Seen) -> Iterator[str]:
    for name in _CONFIGURATION:
        planned, shown = int(blueprint.sealed.genesis["initial_configuration"][name]), int(seen.parameters[name])
        if planned != shown:
            yield f"{name} is {shown}, in the genesis {planned}"
