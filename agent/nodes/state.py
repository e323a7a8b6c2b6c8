"""A node's state as the agent reports it, and when a dead node is restarted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent.nodes.folder import NodeRecord
from antelope.answers import connected
from antelope.errors import NodeError
from antelope.http import NodeClient
from boot.step import NodeMode
from protos.states import NodeState

PAUSES = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before the first, second, … restart of a node that keeps dying. After the last one the agent gives up."""

LOOK_SECONDS = 3.0
"""How long a node may take to answer."""

HEALTHY_SECONDS = 60.0
"""A node that lived this long counts as healthy: its restarts are counted from zero."""


@dataclass(frozen=True)
class NodeStatus:
    """The present state of a node."""

    name: str
    state: NodeState
    mode: NodeMode
    pid: int = 0
    head: int = 0
    lib: int = 0
    peers: int = 0
    """How many other nodes it is connected with."""
    detail: str = ""
    """Why it failed."""
    lasting: bool = False
    """It failed, and a person must repair it."""
    since: int = 0
    """The block of the snapshot that its chain began with: it has no earlier ones; 0: it has all."""
    keys: tuple[str, ...] = ()
    """The public keys (EOS…) that a living one signs blocks with."""
    withheld: str = ""
    """Why a producer's node follows the chain without its key; empty if it signs in its turn."""
    doubles: tuple[str, ...] = ()
    """What shows that two nodes sign for one producer, the latest last."""
    seed: bool = False
    """It serves only peers, and takes no transactions."""


@dataclass
class Restarts:
    """The restarts of one node that died. Times are seconds on the caller's clock."""

    count: int = 0
    next_at: float | None = None
    since: float | None = None
    """When it was first seen alive after its last death."""

    def lives(self, now: float) -> None:
        """Records that the node was seen alive."""
        self.next_at = None
        self.since = now if self.since is None else self.since
        if now - self.since >= HEALTHY_SECONDS:
            self.count = 0

    def due(self, now: float) -> bool:
        """Whether to start a dead node now. A yes counts as an attempt."""
        self.since = None
        if self.given_up:
            return False
        if self.next_at is None:
            self.next_at = now + PAUSES[self.count]
        if now < self.next_at:
            return False
        self.count, self.next_at = self.count + 1, None
        return True

    @property
    def given_up(self) -> bool:
        """Whether all restarts are used up."""
        return self.count >= len(PAUSES)


async def look(record: NodeRecord, pid: int, node: NodeClient) -> NodeStatus:
    """Asks a living node for its state."""
    name, mode = record.spec.name, record.mode
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            info = await node.get_info()
            links = await node.connections()
    except (NodeError, TimeoutError) as error:
        return NodeStatus(name, NodeState.STARTING, mode, pid, detail=f"does not answer: {error}")
    return NodeStatus(
        name,
        NodeState.RUNNING,
        mode,
        pid,
        info.head_block_num,
        info.last_irreversible_block_num,
        connected(links),
        keys=record.keys,
    )
