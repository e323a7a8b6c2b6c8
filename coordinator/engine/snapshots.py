"""The coordinator's snapshots: agents take them, the coordinator fetches and keeps them, and new nodes use them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from antelope.errors import NodeError
from coordinator.engine.access import NodeAccess
from coordinator.engine.beginnings import choose
from coordinator.errors import OperationFailed
from inventory.network import Node, Role
from protos import coordination_pb2 as pb
from support.artifacts import DamagedError
from support.errors import SupportError
from support.retry import DeadlineError
from support.snapshots import KEEP, KEEP_DAYS, PART, Incoming, Snapshot, SnapshotStore

PATH = "/agent/snapshot"
AT_ONCE = 4
"""Parts that are in transfer at the same time."""
PART_SECONDS = 60.0
FRESH_BLOCKS = 1200
"""A snapshot this many blocks old is as good as a new one: ten minutes."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """Which snapshots are kept, on the host and here."""

    keep: int = KEEP
    days: float = KEEP_DAYS


class SnapshotWork:
    """Has agents take snapshots, and fetches them."""

    def __init__(self, access: NodeAccess, store: SnapshotStore, folders: Callable[[str], Path], tell: Tell) -> None:
        """folders: the data folder of a local host's agent. tell: gets a line now and then."""
        self._access = access
        self._folders = folders
        self._tell = tell
        self._one = asyncio.Lock()
        self.store = store

    async def take(self, node: Node, limits: Limits | None = None, block: int = 0) -> Snapshot:
        """Has a node write a snapshot, and fetches it. Raises TaskFailedError, LinkError, DeadlineError, NodeError,
        OSError, DamagedError.
        """
        limits, began = limits or Limits(), time.monotonic()
        body = pb.TakeSnapshot(node=node.name, block=block, keep=limits.keep, days=limits.days)
        result = await self._access.task(node.host, body)
        found = self.known(result.snapshot)
        self._tell(
            f"snapshot {found.name} of {node.name}: {found.size / 1e6:.0f} MB, block {found.block}, "
            f"{time.monotonic() - began:.1f} s"
        )
        await self.bring(node, found)
        await asyncio.to_thread(self.store.prune, time.time(), limits.keep, limits.days)
        return found

    async def newest(self, node: Node) -> Snapshot:
        """Returns a snapshot fresh enough for new nodes. Takes one if needed: one for all callers at the same time.

        Raises as `take`.
        """
        async with self._one:
            head = ((status := self._access.status(node)) and status.head) or 0
            last = self.store.find("")
            if last and last.block <= head < last.block + FRESH_BLOCKS and self._ours(last):
                return last
            return await self.take(node)

    async def bring(self, node: Node, snapshot: Snapshot) -> None:
        """Fetches it from the agent that keeps it. Does nothing if it is already here. Raises NodeError, OSError,
        DamagedError.
        """
        if self.store.find(snapshot.sha256):
            return
        self.store.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.store.part(snapshot.sha256)
        if self._access.network.host(node.host).local:
            await asyncio.to_thread(_copy, self._folders(node.host) / "snapshots" / f"{snapshot.sha256}.bin", part)
        else:
            await self._fetch(node, snapshot, part)
        await asyncio.to_thread(self.store.keep, part, snapshot)

    async def _fetch(self, node: Node, snapshot: Snapshot, part: Path) -> None:
        link = self._access.link(node.host)

        def ask(offset: int) -> asyncio.Task[bytes]:
            wanted = {"kept": snapshot.sha256, "read": offset}
            return asyncio.create_task(link.read(node.name, PATH, wanted, PART_SECONDS))

        with contextlib.closing(await asyncio.to_thread(Incoming, part, snapshot.size)) as incoming:
            offsets = iter(range(incoming.arrived, snapshot.size, PART))
            asked = [ask(offset) for offset, _ in zip(offsets, range(AT_ONCE), strict=False)]
            try:
                while asked:
                    data = await asked.pop(0)
                    await asyncio.to_thread(incoming.take, data)
                    if (offset := next(offsets, None)) is not None:
                        asked.append(ask(offset))
            finally:
                for task in asked:
                    task.cancel()
            incoming.finish(snapshot.sha256)

    def known(self, told: pb.Snapshot) -> Snapshot:
        """The snapshot that an agent reported. Raises OperationFailed when it reported none."""
        if len(told.sha256) != 64 or not set(told.sha256) <= set("0123456789abcdef") or not told.size:
            raise OperationFailed("the agent names no snapshot: install this version there")
        return Snapshot(told.sha256, told.size, told.block, told.block_id, "", told.node, told.nodeos, told.taken)

    def _ours(self, snapshot: Snapshot) -> bool:
        """Whether it is from the node of this network that was asked for it."""
        return snapshot.node in {node.name for node in self._access.network.nodes if not node.party}


class Beginnings:
    """The snapshot that new nodes of this network start from, if any: one choice for all nodes without a chain."""

    def __init__(self, access: NodeAccess, work: SnapshotWork, rows: int, tell: Tell) -> None:
        """rows: accounts of the allocation. tell: gets what was chosen, and why."""
        self._access = access
        self._work = work
        self._rows = rows
        self.tell = tell
        self._chosen: dict[str, bool] = {}
        self._one = asyncio.Lock()

    async def of(self, node: Node) -> Snapshot | None:
        """The snapshot that this node starts from. None: it syncs from its peers' blocks."""
        async with self._one:
            if node.name not in self._chosen and self._access.status(node) is None:
                self._choose()
        if not self._chosen.get(node.name):
            return None
        try:
            return await self._work.newest(self._access.reader)
        except (OperationFailed, NodeError, DeadlineError, SupportError, OSError) as error:
            self.tell(f"no snapshot is available, so {node.name} takes its peers' blocks: {error}")
            return None

    def _choose(self) -> None:
        access = self._access
        own = [node for node in access.network.nodes if not node.party and node.role is not Role.GENESIS]
        fresh = [node for node in own if access.status(node) is None]
        seen = {node.name: status for node in access.network.nodes if (status := access.status(node))}
        head = max((status.head for status in seen.values()), default=0)
        whole = [name for name, status in seen.items() if not status.since and status.head > 1]
        found = choose(access.network, fresh, self._rows, head, whole)
        self._chosen.update((node.name, node.name in found.with_snapshot) for node in fresh)
        if found.with_snapshot or len(fresh) > 1:
            self.tell(found.reason)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise DamagedError(f"{source} is gone: take another") from None
    except OSError:
        shutil.copyfile(source, target)
