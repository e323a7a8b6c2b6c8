"""A node behind its agent, as a reader of the chain; and the audit of the chain through one."""

from __future__ import annotations

from typing import Any

from antelope.reads import ChainReader
from boot.audit import Report, audit
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


async def audit_chain(opened: OpenNetwork) -> Report:
    """Audits the chain through the node that follows the boot: after the handover, the one with irreversible state.

    Raises OperationFailed before the seal, Unreachable when no node runs, AuditError.
    """
    sealed, reader = opened.sealed, opened.access.reader
    node = RemoteNode(opened.access.link(reader.host), reader.name)
    return await audit(node, opened.blueprint(sealed), observed=observed(opened.parties))
