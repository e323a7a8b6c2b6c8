"""When a producer may claim its rewards.

The contract refuses a claim within 24 hours of the producer's registration or of its last claim: `last_claim_time` of
its row in the producers table holds the later of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from boot.blueprint import Blueprint
from inventory import versions

INTERVAL = timedelta(days=1)
"""`useconds_per_day` of eosio.system: more than this must have passed."""


ELSEWHERE = "this eosio.system takes claims from core.vaulta alone: each producer claims there (docs/contracts.md)"
"""The message to the user if `through_vaulta` is true."""


@dataclass(frozen=True)
class Claim:
    """The time from which a producer may claim (UTC)."""

    producer: str
    due: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether the contract would accept the claim at that time of the chain."""
        return now > self.due


def through_vaulta(blueprint: Blueprint) -> bool:
    """Whether the system contract refuses claims that do not come from core.vaulta."""
    system = next(contract for contract in blueprint.sealed.contracts if contract.account == "eosio")
    return versions.claims_through_vaulta(blueprint.verified(system.wasm))


def claims(producer_rows: Iterable[Mapping[str, Any]]) -> tuple[Claim, ...]:
    """The next claim of each active producer, by name, from the rows of eosio's producers table."""
    found = [
        Claim(str(entry["owner"]), chain_time(entry["last_claim_time"]) + INTERVAL)
        for entry in producer_rows
        if entry["is_active"]
    ]
    return tuple(sorted(found, key=lambda claim: claim.producer))


def chain_time(value: str | int) -> datetime:
    """Reads a time_point as nodeos writes it (ISO 8601, UTC), or as older contracts do (microseconds since 1970)."""
    if isinstance(value, str) and not value.isdigit():
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(value))
