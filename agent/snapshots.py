"""Temporary snapshots, for readers of a node's whole state: nodeos writes one, and it is removed once read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agent.errors import DutyError
from antelope.errors import NodeError
from antelope.http import NodeClient
from support.retry import poll
from support.snapshots import SnapshotStore

PATH = "/agent/snapshot"
"""The path of a query that is for the agent itself."""
SECONDS = 600.0
"""Seconds for nodeos to write a snapshot. 163,930 accounts took 3 s; a node that answers from head writes once that
block is irreversible.
"""
PART = 4 << 20
"""Maximum size of one answer, in bytes."""
_NAME = "snapshot-"
"""nodeos names a snapshot's file by this and the block's id. The id's first eight digits are the block's number."""


@contextlib.asynccontextmanager
async def taken(url: str) -> AsyncIterator[Path]:
    """A snapshot of the node with that HTTP API, while the block runs. Raises NodeError."""
    path = await _take(url)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


async def _take(url: str) -> Path:
    async with NodeClient(url, timeout=SECONDS) as client:
        return Path(await client.create_snapshot())


async def taken_at(node: NodeClient, data: Path, block: int = 0) -> tuple[Path, str]:
    """Has a node write a snapshot, and waits until it is complete, which takes until its block is irreversible.

    data: nodeos' data folder. block: a future block's number; 0 for the present head. Returns the file and the block's
    id. Raises NodeError, DutyError, DeadlineError.
    """
    place = data / "snapshots"
    if not block:
        path = place / (await _take(node.base_url)).name
        return path, path.stem.removeprefix(_NAME)
    head = (await node.get_info()).head_block_num
    if block <= head:
        raise DutyError(f"block {block} is in the past, the head is {head}: ask for a snapshot of a later one")
    await node.schedule_snapshot(block)

    async def written() -> Path | None:
        return next(place.glob(f"{_NAME}{block:08x}*.bin"), None)

    path = await poll(written, what=f"the snapshot of block {block}", deadline=SECONDS)
    return path, path.stem.removeprefix(_NAME)


class Snapshots:
    """The snapshots that a coordinator reads part by part: the newest one of each node."""

    def __init__(self, http_port: Callable[[str], int], kept: SnapshotStore | None = None) -> None:
        """http_port: from a node's name to its HTTP API's port; raises KeyError for an unknown node. kept: the
        snapshots that are kept on this host; parts of these can be read as well.
        """
        self._http_port = http_port
        self._kept = kept
        self._held: dict[str, Path] = {}

    async def answer(self, node: str, wanted: dict[str, Any]) -> tuple[bytes, str]:
        """Answers a request, or says why not: {"take": true} writes a snapshot and returns its path and size, {"read":
        offset} returns a part of it, {"drop": true} removes it. {"kept": sha256, "read": offset} returns a part of a
        kept one.
        """
        if "take" in wanted:
            return await self._taken(node)
        kept = self._kept.find(str(wanted["kept"])) if self._kept and wanted.get("kept") else None
        path = self._kept.path(kept.sha256) if self._kept and kept else self._held.get(node)
        if path is None or ("kept" in wanted and kept is None):
            return b"", f"this agent holds no snapshot of {node[:80]}"
        if "drop" in wanted and kept is None:
            self._drop(node)
            return b"{}", ""
        offset = wanted.get("read")
        if not isinstance(offset, int) or offset < 0:
            return b"", "a snapshot is taken, read from an offset, or dropped"
        return await asyncio.to_thread(_part, path, offset), ""

    async def _taken(self, node: str) -> tuple[bytes, str]:
        self._drop(node)
        try:
            path = await _take(f"http://127.0.0.1:{self._http_port(node)}")
        except NodeError as error:
            return b"", f"the node wrote no snapshot: {error}"
        self._held[node] = path
        return json.dumps({"path": str(path), "size": path.stat().st_size}).encode(), ""

    def _drop(self, node: str) -> None:
        path = self._held.pop(node, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Removes all of them."""
        for node in tuple(self._held):
            self._drop(node)


def _part(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(PART)
