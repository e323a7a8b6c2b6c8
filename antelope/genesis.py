"""genesis.json: what a chain starts from, and its id.

Source: libraries/chain/include/eosio/chain/{genesis_state,chain_config}.hpp and chain_config.cpp of AntelopeIO/leap.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from antelope.answers import parse_time
from antelope.errors import BadGenesis, BadJson, BadKey, brief
from antelope.keys import PublicKey
from antelope.strict_json import read_json

DEVELOPMENT_KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
"""The key whose private half is public; nodeos uses it where no genesis is given."""

# Field, size in bytes, default. CPU in microseconds, NET in bytes, *_pct in hundredths of a percent, times in seconds.
CONFIGURATION: tuple[tuple[str, int, int], ...] = (
    ("max_block_net_usage", 8, 1048576),
    ("target_block_net_usage_pct", 4, 1000),
    ("max_transaction_net_usage", 4, 524288),
    ("base_per_transaction_net_usage", 4, 12),
    ("net_usage_leeway", 4, 500),
    ("context_free_discount_net_usage_num", 4, 20),
    ("context_free_discount_net_usage_den", 4, 100),
    ("max_block_cpu_usage", 4, 200000),
    ("target_block_cpu_usage_pct", 4, 1000),
    ("max_transaction_cpu_usage", 4, 150000),
    ("min_transaction_cpu_usage", 4, 100),
    ("max_transaction_lifetime", 4, 3600),
    ("deferred_trx_expiration_window", 4, 600),
    ("max_transaction_delay", 4, 3888000),
    ("max_inline_action_size", 4, 524288),
    ("max_inline_action_depth", 2, 4),
    ("max_authority_depth", 2, 6),
)
DEFAULT_CONFIGURATION: Mapping[str, int] = {name: default for name, _, default in CONFIGURATION}
LONGEST = 1 << 16
"""Maximum bytes of a genesis.json: 30 times the usual size."""
_MIN_NET_ABOVE_BASE = 10 * 1024


@dataclass(frozen=True)
class Genesis:
    """initial_timestamp is UTC, to the millisecond; initial_key is the genesis node's; the configuration is
    complete."""

    initial_timestamp: datetime
    initial_key: PublicKey
    initial_configuration: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_CONFIGURATION))

    def to_json(self) -> str:
        """The content of genesis.json."""
        value = {
            "initial_timestamp": self.initial_timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
            + f"{self.initial_timestamp.microsecond // 1000:03d}",
            "initial_key": str(self.initial_key),
            "initial_configuration": {name: self.initial_configuration[name] for name, _, _ in CONFIGURATION},
        }
        return json.dumps(value, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Genesis:
        """From the content of genesis.json, which must have every field and no other. Raises BadGenesis."""
        try:
            value: Any = read_json(text, size=LONGEST)
            timestamp, key = parse_time(value["initial_timestamp"]), PublicKey.parse(value["initial_key"])
            configuration = {str(name): int(number) for name, number in value["initial_configuration"].items()}
        except BadKey as error:
            raise BadGenesis(f"genesis.json: initial_key: {error}") from error
        except BadJson as error:
            raise BadGenesis(f"genesis.json: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BadGenesis(f"genesis.json: {brief(error, 200)}") from error
        missing = sorted(set(DEFAULT_CONFIGURATION) - set(configuration))
        unknown = sorted(set(configuration) - set(DEFAULT_CONFIGURATION))
        if missing or unknown:
            which = ("lacks " + ", ".join(missing)) if missing else ("has unknown " + ", ".join(unknown))
            raise BadGenesis(f"genesis.json: initial_configuration {which[:400]}")
        return cls(timestamp, key, configuration)

    def packed(self) -> bytes:
        """The packed genesis_state, whose hash is the chain id. Raises BadGenesis for numbers out of range."""
        since_epoch = (self.initial_timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        packed = (1000 * since_epoch).to_bytes(8, "little", signed=True) + self.initial_key.pack()
        for name, size, _ in CONFIGURATION:
            try:
                packed += self.initial_configuration[name].to_bytes(size, "little")
            except (KeyError, OverflowError) as error:
                raise BadGenesis(f"genesis: {name} is missing or does not fit {size} bytes") from error
        return packed

    def chain_id(self) -> str:
        """The id, in hexadecimal, of the chain that starts from this genesis."""
        return hashlib.sha256(self.packed()).hexdigest()


def configuration_errors(configuration: Mapping[str, int]) -> list[str]:
    """What chain_config::validate would reject; nodeos itself reports only "Action validate exception"."""
    given = configuration
    sized = [
        f"{name}: {given.get(name)!r} is not an integer from 0 to {(1 << 8 * size) - 1}"
        for name, size, _ in CONFIGURATION
        if not isinstance(given.get(name), int) or not 0 <= given[name] < 1 << 8 * size
    ]
    if sized:
        return sized
    min_cpu, max_cpu, block_cpu = (
        given[name] for name in ("min_transaction_cpu_usage", "max_transaction_cpu_usage", "max_block_cpu_usage")
    )
    base_net, max_net, block_net = (
        given[name] for name in ("base_per_transaction_net_usage", "max_transaction_net_usage", "max_block_net_usage")
    )
    context_free = given["context_free_discount_net_usage_num"], given["context_free_discount_net_usage_den"]
    rules = [
        (10 <= given["target_block_net_usage_pct"] <= 10000, "target_block_net_usage_pct is not between 10 and 10000"),
        (10 <= given["target_block_cpu_usage_pct"] <= 10000, "target_block_cpu_usage_pct is not between 10 and 10000"),
        (max_net < block_net, f"max_transaction_net_usage {max_net} is not below max_block_net_usage {block_net}"),
        (
            base_net + _MIN_NET_ABOVE_BASE <= max_net,
            f"max_transaction_net_usage {max_net} is less than {_MIN_NET_ABOVE_BASE} above the base of {base_net}",
        ),
        (context_free[1] > 0, "context_free_discount_net_usage_den is 0"),
        (context_free[0] <= context_free[1], "context_free_discount_net_usage_num is above its _den"),
        (min_cpu <= max_cpu, f"min_transaction_cpu_usage {min_cpu} is above max_transaction_cpu_usage {max_cpu}"),
        (
            max_cpu < block_cpu - min_cpu,
            f"max_transaction_cpu_usage {max_cpu} is not below {block_cpu} - {min_cpu}, the block's less the minimum",
        ),
        (given["max_authority_depth"] >= 1, "max_authority_depth is 0"),
    ]
    return [message for holds, message in rules if not holds]
