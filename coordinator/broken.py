"""Nodes that will not run again before a person has mended something: whoever waits for them need wait no longer."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from coordinator.desk import FAILED, NetworkDesk, TaskFailedError
from inventory.network import GENESIS_ACCOUNT, Node
from inventory.sealed import Sealed
from support.tasks import looking


class BrokenError(TaskFailedError):
    """A node has failed for good. One line: why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why, retryable=False)


class Broken:
    """Which nodes have failed for good, in one run of a plan."""

    def __init__(self, desk: NetworkDesk, sealed: Sealed) -> None:
        self._desk = desk
        self._signing = {GENESIS_ACCOUNT, *sealed.elected}
        self._tried: set[str] = set()

    def tried(self, names: tuple[str, ...]) -> None:
        """Notes nodes that could not be started: nobody tries again in this run."""
        self._tried.update(names)

    def why(self, node: Node) -> str:
        """Why it has failed for good; empty: it runs, or may come back."""
        status = self._desk.status(node)
        if status is None or status.state != FAILED:
            return ""
        return status.detail if status.lasting or node.name in self._tried else ""

    def signers(self) -> str:
        """Which nodes that sign blocks, now or once elected, have failed for good, and why; empty: none has."""
        nodes = [node for node in self._desk.network.nodes if node.account in self._signing and not node.party]
        return "; ".join(f"{node.host}: {why}" for node in nodes if (why := self.why(node)))

    async def unless(self, node: Node, work: Coroutine[Any, Any, Any]) -> None:
        """Does some work with a node. Raises BrokenError as soon as the node has failed for good."""

        def look() -> None:
            if why := self.why(node):
                raise BrokenError(why)

        await looking(work, look)
