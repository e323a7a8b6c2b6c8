"""Vouchers for snapshots: a party's statement of its node's state at a block, signed with the account's key.

A block's id does not depend on the state after it. A state is proved by independent nodes that reached the same
one by executing the blocks. docs/adr/0012-snapshots.md has the reasons.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Iterable, Mapping

from agent.duties.tools import Tools
from agent.errors import DutyError
from agent.party.account import OwnAccount
from agent.party.settings import PartySettings
from agent.snapshots import taken_at
from antelope.errors import AntelopeError
from antelope.keys import PublicKey, Signature, SigningKey
from antelope.strict_json import read_json
from boot.blueprint import Blueprint
from protos import coordination_pb2 as pb
from support.artifacts import sha256_of

log = logging.getLogger(__name__)

PAUSE = 60.0
"""Seconds between two vouchers, since writing a state occupies the node."""
AHEAD = 1200
"""How many blocks ahead the requested block may be."""
DOCUMENT = 4096
"""Maximum bytes of a document."""
MOST = 64
"""Maximum vouchers that are read."""
_DOMAIN = b"bootcoord snapshot\0"


def sign(account: str, key: SigningKey, document: str) -> pb.Voucher:
    """The document with its signature. It may block if a keosd holds the key."""
    return pb.Voucher(account=account, document=document, signature=str(key.sign(_digest(document))))


def objection(trust: Mapping[str, str], quorum: int, offered: pb.Follow, sealed: tuple[str, str]) -> str:
    """Why a node may not start from an offered snapshot; empty if enough parties have signed it.

    trust: accounts whose word counts, with their keys. sealed: the network's name and chain id.
    """
    if not trust:
        return "snapshot_trust names no party whose signature counts"
    agreed: set[str] = set()
    for voucher in offered.vouchers[:MOST]:
        key = trust.get(voucher.account)
        told = _read(voucher, key) if key else None
        if key is None or told is None:
            continue
        if told == _wanted(offered.snapshot, sealed):
            agreed.add(key)
        elif told[:3] == _wanted(offered.snapshot, sealed)[:3]:
            return f"{voucher.account} has signed another state of block {offered.snapshot.block}: sha256 {told[4]}"
    if len(agreed) < quorum:
        return f"{len(agreed)} of snapshot_trust have signed it, and snapshot_quorum is {quorum}"
    return ""


class Vouching:
    """The statement that one party signs about its own node's state."""

    def __init__(self, settings: PartySettings, tools: Tools, own: OwnAccount) -> None:
        self._account = settings.account
        self._nodes = tools.nodes
        self._own = own
        self._last = -PAUSE

    async def vouch(self, wanted: pb.Vouch, network: Blueprint) -> pb.Result:
        """Raises DutyError, NodeError, DeadlineError, OSError."""
        await self._check(wanted.block)
        self._last = time.monotonic()
        client = self._nodes.client(self._account)
        version = (await client.get_info()).server_version_string
        path, block_id = await taken_at(client, self._nodes.data_of(self._account), wanted.block)
        try:
            sha256, size = await asyncio.to_thread(sha256_of, path), path.stat().st_size
        finally:
            path.unlink(missing_ok=True)
        content = {
            "network": network.sealed.network, "chain_id": network.sealed.chain_id, "block": wanted.block,
            "block_id": block_id, "sha256": sha256, "size": size, "nodeos": version,
        }  # fmt: skip
        document = json.dumps(content, sort_keys=True, separators=(",", ":"))
        key = self._own.key_of(self._account)
        voucher = await asyncio.to_thread(sign, self._account, key, document)
        log.info("signed the state of block %d on this party's node: sha256 %s", wanted.block, sha256)
        return pb.Result(voucher=voucher)

    async def _check(self, block: int) -> None:
        status = next((one for one in await self._nodes.status() if one.name == self._account), None)
        if status is None or not status.head:
            raise DutyError("this party's node does not run", retryable=True)
        if status.since:
            raise DutyError(f"refused: this party's node began with a snapshot itself, of block {status.since}")
        if not status.head < block <= status.head + AHEAD:
            raise DutyError(f"refused: block {block} is not among the {AHEAD} to come after {status.head}")
        if time.monotonic() - self._last < PAUSE:
            raise DutyError(f"refused: the last time was less than {PAUSE:g} s ago", retryable=True)


Told = tuple[str, str, int, str, str, int]
"""Network, chain id, block, its id, sha256 and size of the file."""


def _wanted(snapshot: pb.Snapshot, sealed: tuple[str, str]) -> Told:
    return *sealed, snapshot.block, snapshot.block_id, snapshot.sha256, snapshot.size


def _read(voucher: pb.Voucher, key: str) -> Told | None:
    """Its statement; None when it is not signed with that key, or cannot be read."""
    try:
        if Signature.parse(voucher.signature).recover(_digest(voucher.document)) != PublicKey.parse(key):
            return None
        told = read_json(voucher.document, size=DOCUMENT)
        parts: Iterable[str] = (told[part] for part in ("network", "chain_id", "block", "block_id", "sha256", "size"))
        network, chain_id, block, block_id, sha256, size = parts
        return str(network), str(chain_id), int(block), str(block_id), str(sha256), int(size)
    except (AntelopeError, ArithmeticError, ValueError, KeyError, TypeError):
        return None


def _digest(document: str) -> bytes:
    return hashlib.sha256(_DOMAIN + document.encode()).digest()
