"""A host's snapshots: takes them from its nodes, keeps them within limits, and fetches them for new nodes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from pathlib import Path

from agent.duties.tools import Tools
from agent.errors import DutyError, SessionEnded
from agent.nodes.beginning import Beginning
from agent.nodes.first_start import Source
from agent.snapshots import taken_at
from protos import coordination_pb2 as pb
from support.artifacts import DamagedError, sha256_of
from support.errors import explanation
from support.snapshots import KEEP, KEEP_DAYS, Incoming, Snapshot

log = logging.getLogger(__name__)

LARGEST = 64 << 30
"""Maximum bytes of a fetched snapshot. The largest public chain's has some 10 GiB."""
TRIES = 3
"""How often a fetch is tried before the node starts without a snapshot."""


class HostSnapshots:
    """The snapshots of one data folder."""

    def __init__(self, tools: Tools) -> None:
        self._nodes = tools.nodes
        self._fetch = tools.fetch_parts
        self._one = asyncio.Lock()
        self.store = tools.snapshots

    async def take(self, wanted: pb.TakeSnapshot) -> pb.Result:
        """Has a node write a snapshot, and keeps it. Raises UnknownNode, NodeError, DutyError, OSError."""
        async with self._one:
            client, record = self._nodes.client(wanted.node), self._nodes.record(wanted.node)
            version = (await client.get_info()).server_version_string
            path, block_id = await taken_at(client, self._nodes.data_of(wanted.node), wanted.block)
            try:
                sha256 = await asyncio.to_thread(sha256_of, path)
                size, block = path.stat().st_size, int(block_id[:8], 16)
                found = Snapshot(sha256, size, block, block_id, record.chain_id, wanted.node, version, time.time())
                await asyncio.to_thread(self.store.keep, path, found)
            finally:
                path.unlink(missing_ok=True)
            limits = (wanted.keep or KEEP, wanted.days or KEEP_DAYS)
            for gone in await asyncio.to_thread(self.store.prune, time.time(), *limits):
                log.info("the snapshot %s is removed: newer ones are kept", gone.name)
            log.info("snapshot %s of %s: %d MB", found.name, wanted.node, size >> 20)
            return pb.Result(snapshot=pb.Snapshot(**found.told))

    async def source(self, wanted: pb.Snapshot, chain_id: str) -> Source | str:
        """Returns the snapshot's path, after fetching it if needed, or why it is not available."""
        beginning = Beginning(wanted.sha256, wanted.block, wanted.block_id)
        async with self._one:
            if self.store.find(wanted.sha256) is None:
                try:
                    await self._fetched(wanted, chain_id)
                except (DutyError, SessionEnded, DamagedError, OSError) as error:
                    return f"{beginning} is not here: {explanation(error)}"
        return Source(self.store.path(wanted.sha256), beginning)

    async def _fetched(self, wanted: pb.Snapshot, chain_id: str) -> None:
        sha256 = wanted.sha256
        _check(wanted, self.store.folder)
        for tries in range(1, TRIES + 1):
            try:
                path = await self._whole(sha256, wanted.size)
                break
            except DamagedError as error:
                log.warning("%s", error)
                if tries == TRIES:
                    raise
        found = Snapshot(
            sha256, wanted.size, wanted.block, wanted.block_id, chain_id, wanted.node, wanted.nodeos, wanted.taken
        )
        await asyncio.to_thread(self.store.keep, path, found)
        await asyncio.to_thread(self.store.prune, time.time())

    async def _whole(self, sha256: str, size: int) -> Path:
        """Continues after the bytes that already arrived. Raises DamagedError, SessionEnded, OSError."""
        with contextlib.closing(await asyncio.to_thread(Incoming, self.store.part(sha256), size)) as incoming:

            async def take(data: bytes) -> None:
                await asyncio.to_thread(incoming.take, data)

            if incoming.arrived < size:
                await self._fetch(sha256, incoming.arrived, take)
            return incoming.finish(sha256)


def _check(wanted: pb.Snapshot, folder: Path) -> None:
    """Raises DutyError for a snapshot that cannot be fetched."""
    if not 0 < wanted.size <= LARGEST:
        raise DutyError(f"a snapshot of {wanted.size} bytes is not fetched")
    free = shutil.disk_usage(folder.parent).free
    if free < wanted.size + (1 << 30):
        raise DutyError(f"its disk has {free >> 20} MB free, and a snapshot of {wanted.size >> 20} MB needs 1 GB more")
