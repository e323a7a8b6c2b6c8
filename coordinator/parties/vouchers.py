"""Parties' signatures of the chain's state at a block: collected, kept beside the snapshot, and passed on.

The coordinator checks none of them: the agent of the node that starts from a snapshot decides which ones count.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from coordinator.agents.link import AgentLink, LinkError
from coordinator.parties.open_network import OpenNetwork
from protos import coordination_pb2 as pb
from support.files import write_atomic
from support.retry import DeadlineError
from support.snapshots import SnapshotStore
from support.texts import plain

LEAD = 20
"""How many blocks ahead the signed block is, so that every party is asked before it comes."""
SECONDS = 600.0
"""A block becomes irreversible within two or three rounds of the schedule."""
LIMIT = 8192
"""Maximum bytes of a voucher."""


def next_block(opened: OpenNetwork) -> int:
    """The block to ask for: none of the operator's nodes has it yet. Parties' claims are not counted."""
    statuses = (opened.access.status(node) for node in opened.network.nodes if not node.party)
    return max((status.head for status in statuses if status), default=0) + LEAD


async def collect(opened: OpenNetwork, block: int, tell: Callable[[str], None]) -> tuple[pb.Voucher, ...]:
    """Has all connected parties sign their nodes' state at that block. tell: gets a line about each."""
    links = [link for party in opened.parties.parties() if (link := opened.hub.links.get(party.name))]
    found = await asyncio.gather(*(_one(link, block, tell) for link in links if link.connected))
    return tuple(voucher for voucher in found if voucher is not None)


async def _one(link: AgentLink, block: int, tell: Callable[[str], None]) -> pb.Voucher | None:
    try:
        result = await link.task(pb.Vouch(block=block), deadline=SECONDS)
    except (LinkError, DeadlineError) as error:
        tell(f"party {link.name} signs nothing: {error}")
        return None
    if not result.ok or result.voucher.ByteSize() > LIMIT:
        tell(f"party {link.name} signs nothing: {plain(result.error)}")
        return None
    tell(f"party {link.name} has signed its node's state at block {block}")
    return result.voucher


def keep(store: SnapshotStore, sha256: str, vouchers: tuple[pb.Voucher, ...]) -> None:
    """Keeps the vouchers beside the snapshot. Raises OSError."""
    documents = [{"account": one.account, "document": one.document, "signature": one.signature} for one in vouchers]
    write_atomic(_path(store, sha256), json.dumps(documents, indent=1).encode())


def kept(store: SnapshotStore, sha256: str) -> tuple[pb.Voucher, ...]:
    """The vouchers of a snapshot."""
    try:
        return tuple(pb.Voucher(**one) for one in json.loads(_path(store, sha256).read_bytes()))
    except (OSError, ValueError, TypeError):
        return ()


def _path(store: SnapshotStore, sha256: str) -> Path:
    return store.folder / f"{sha256}.vouchers"
