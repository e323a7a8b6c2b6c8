"""Snapshots of a node's state, for whoever reads all of it: nodeos writes one, and it is removed when it was read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from antelope.errors import NodeError
from antelope.http import NodeClient

PATH = "/agent/snapshot"
"""Of a query that is for the agent itself."""
SECONDS = 600.0
"""163,930 accounts took 3 s; a node that shows its head writes when that block is irreversible."""
PART = 4 << 20
"""Bytes of one answer."""


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


class Snapshots:
    """Those that a coordinator reads part by part: the newest of each node."""

    def __init__(self, http_port: Callable[[str], int]) -> None:
        """http_port: from a node's name to its HTTP API's port; raises KeyError for an unknown node."""
        self._http_port = http_port
        self._held: dict[str, Path] = {}

    async def answer(self, node: str, wanted: dict[str, Any]) -> tuple[bytes, str]:
        """What was asked for, or why not: {"take": true} writes one and tells its path and size, {"read": offset} gives
        a part of it, {"drop": true} removes it.
        """
        if "take" in wanted:
            return await self._taken(node)
        path = self._held.get(node)
        if path is None:
            return b"", f"this agent holds no snapshot of {node[:80]}"
        if "drop" in wanted:
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
