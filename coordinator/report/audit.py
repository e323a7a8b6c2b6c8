"""Reads the chain from a node through its agent, and audits it that way."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from antelope.errors import Unreachable
from antelope.reads import ChainReader
from antelope.strict_json import read_json
from boot.audit import AuditReport, audit
from coordinator.agents.link import AgentLink
from coordinator.parties.observing import observed
from coordinator.parties.open_network import OpenNetwork


class RemoteNode(ChainReader):
    """One node's read-only API, as `NodeClient` offers it, through its agent."""

    def __init__(self, link: AgentLink, node: str) -> None:
        """node: its name on the agent's host."""
        self._link = link
        self._node = node

    async def call(self, path: str, body: Any = None) -> Any:
        """As NodeClient.call, for paths that only read."""
        return await self._link.query(self._node, path, body)


SNAPSHOT_SECONDS = 660.0
"""Seconds that a node has to write its snapshot."""
SNAPSHOT = "/agent/snapshot"


async def audit_chain(opened: OpenNetwork) -> AuditReport:
    """Audits the chain through the node that evidence is read from: the genesis node, or else another that runs.

    Raises OperationFailed before the seal, Unreachable when no node runs, AuditError.
    """
    sealed, reader = opened.sealed, opened.access.reader
    link = opened.access.link(reader.host)
    local = opened.network.host(reader.host).local

    def snapshot() -> AbstractAsyncContextManager[Path]:
        return _snapshot(link, reader.name, local, opened.state.folder)

    return await audit(
        RemoteNode(link, reader.name),
        opened.blueprint(sealed),
        observed=observed(opened.parties, opened.network.later),
        snapshot=snapshot,
    )


@asynccontextmanager
async def _snapshot(link: AgentLink, node: str, local: bool, folder: Path) -> AsyncIterator[Path]:
    """A snapshot of the node's state, while the block runs. On this machine it is read in place."""
    taken = read_json(await link.read(node, SNAPSHOT, {"take": True}, SNAPSHOT_SECONDS))
    try:
        if local:
            yield Path(taken["path"])
            return
        with tempfile.TemporaryDirectory(dir=folder) as place:
            path = Path(place) / "state.bin"
            with path.open("wb") as file:
                while file.tell() < taken["size"]:
                    part = await link.read(node, SNAPSHOT, {"read": file.tell()}, SNAPSHOT_SECONDS)
                    if not part:
                        raise Unreachable(f"{node} on {link.name}: its snapshot is incomplete")
                    file.write(part)
            yield path
    finally:
        await link.read(node, SNAPSHOT, {"drop": True})
