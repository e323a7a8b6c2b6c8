"""Watches the party's own node, and logs each stage on the way to producing."""

from __future__ import annotations

import asyncio
import logging
import time

from agent.errors import UnknownNode
from agent.party.account import OwnAccount
from agent.party.stages import Observation, Stage, line, stage
from antelope.answers import connected
from antelope.errors import NodeError
from antelope.names import name_to_int

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
SYNC_SECONDS = 5.0
"""Seconds between two lines about syncing."""


async def watch_progress(own: OwnAccount) -> None:
    """Watches until it is cancelled. Logs each new stage, and progress while the node is syncing."""
    told, told_at, told_head = None, 0.0, 0
    while True:
        try:
            seen = await look(own)
        except (UnknownNode, NodeError, TimeoutError):
            seen = None  # It does not run yet, or is being restarted.
        if seen:
            now = stage(seen)
            further = seen.head != told_head and time.monotonic() - told_at >= SYNC_SECONDS
            if now is not told or (now is Stage.SYNCING and further):
                told, told_at, told_head = now, time.monotonic(), seen.head
                log.info("%s", line(now, seen, own.name))
        await asyncio.sleep(LOOK_SECONDS)


async def look(own: OwnAccount) -> Observation:
    """One look. Raises UnknownNode, NodeError."""
    node, account = own.node, own.name
    info = await node.get_info()
    peers = connected(await node.connections())
    if not own.in_sync(info):
        return Observation(info.head_block_num, info.last_irreversible_block_num, False, peers)
    held = await node.find_account(account)
    row = await node.find_row("eosio", "eosio", "producers", name_to_int(account)) if held else None
    schedules = await node.get_producer_schedule()
    active = held.permissions["active"].authority if held else None
    weight = sum(weight for key, weight in active.keys if key == own.account_key) if active else 0
    return Observation(
        info.head_block_num,
        info.last_irreversible_block_num,
        True,
        peers,
        account=held is not None,
        ours=active is not None and weight >= active.threshold,
        registered=row is not None and bool(row["is_active"]) and own.has_signer(row["producer_key"]),
        votes=float(row["total_votes"]) if row else 0.0,
        upcoming=any(account in one.names for one in (schedules.pending, schedules.proposed) if one),
        scheduled=account in schedules.active.names,
        produced=info.head_block_producer == account or (row is not None and int(row["unpaid_blocks"]) > 0),
    )
