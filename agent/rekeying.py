"""Decides when a producer's old block-signing key is no longer needed.

A producer changes its key by regproducer. The contract puts the new key into the next schedule that it proposes, a
minute later at most; that schedule becomes active once it is irreversible. Until then the node has both keys: nodeos
signs with the one that the block's schedule names. After that the old key is no longer needed, and is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antelope.answers import Schedules
from antelope.http import NodeClient
from antelope.keys import PublicKey
from antelope.names import name_to_int
from boot.reads import is_key


@dataclass(frozen=True)
class Seen:
    """What one look at a node shows of a producer."""

    row: Mapping[str, Any] | None
    """In the contract's table `producers`."""
    schedules: Schedules
    irreversible_version: int
    """The version of the schedule by which the last irreversible block was signed."""


def needed(seen: Seen, account: str, key: PublicKey | None) -> str:
    """Why keys of this producer other than this one are still needed; empty if they are not.

    key None: the producer is unregistered, so it needs no key.
    """
    registered = seen.row is not None and bool(seen.row["is_active"])
    if key is None and registered:
        return f"{account} is registered as a producer, and may be elected"
    if key is not None and not (registered and seen.row and is_key(seen.row["producer_key"], key)):
        return f"{account} is not registered with {key}"
    keys = () if key is None else (key,)
    schedules = seen.schedules
    kinds = {"proposed": schedules.proposed, "pending": schedules.pending, "active": schedules.active}
    for kind, schedule in kinds.items():
        for producer in schedule.producers if schedule else ():
            if producer.name == account and producer.keys != keys:
                other = "another key of" if keys else "still"
                return f"the {kind} schedule names {other} {account}"
    if seen.irreversible_version < schedules.active.version:
        return f"the active schedule (version {schedules.active.version}) is not irreversible yet"
    return ""


async def look(node: NodeClient, account: str) -> Seen:
    """Looks. The blocks come last: a schedule that became active meanwhile is not taken for an irreversible one.

    Raises NodeError.
    """
    row = await node.find_row("eosio", "eosio", "producers", name_to_int(account))
    irreversible = await node.get_block_info((await node.get_info()).last_irreversible_block_num)
    return Seen(row, await node.get_producer_schedule(), irreversible.schedule_version)
