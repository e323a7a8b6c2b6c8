"""Tracks nodes that will not run again until a person fixes something, so that nothing waits for them."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from coordinator.engine.access import NodeAccess, TaskFailedError
from inventory.network import GENESIS_ACCOUNT, Node
from inventory.sealed import Sealed
from protos.states import NodeState
from support.tasks import looking


class LostNodeError(TaskFailedError):
    """A node has failed for good. One line: why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why, retryable=False)


class LostNodes:
    """The nodes that have failed for good, in one run of a plan."""

    def __init__(self, access: NodeAccess, sealed: Sealed) -> None:
        self._access = access
        self._signing = {GENESIS_ACCOUNT, *sealed.elected}
        self._tried: set[str] = set()

    def tried(self, names: tuple[str, ...]) -> None:
        """Records nodes that could not be started; this run does not try again."""
        self._tried.update(names)

    def why(self, node: Node) -> str:
        """Why a node has failed for good; empty if it runs or may come back."""
        status = self._access.status(node)
        if status is None or status.state != NodeState.FAILED:
            return ""
        return status.detail if status.lasting or node.name in self._tried else ""

    def signers(self) -> str:
        """Current or future block signers that have failed for good, with the reasons; empty if there are none."""
        nodes = [node for node in self._access.network.nodes if node.account in self._signing and not node.party]
        return "; ".join(f"{node.host}: {why}" for node in nodes if (why := self.why(node)))

    async def unless(self, node: Node, work: Coroutine[Any, Any, Any]) -> None:
        """Awaits work that needs a node. Raises LostNodeError as soon as the node has failed for good."""

        def look() -> None:
            if why := self.why(node):
                raise LostNodeError(why)

        await looking(work, look)
