"""A node of this host as its supervisor follows it, and what may run beside what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.errors import BadConfiguration, UnknownNode
from agent.nodeos.config import produces
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.state import NodeStatus, Restarts, look
from antelope.http import NodeClient
from boot.step import NodeMode
from protos.states import NodeState


@dataclass
class TrackedNode:
    """A node of this host, as the supervisor follows it."""

    folder: NodeFolder
    record: NodeRecord
    client: NodeClient
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is started, stopped or changed."""
    starting: bool = False
    fault: str = ""
    lasting: bool = False
    """The fault will not go away by itself."""
    reviving: asyncio.Task[None] | None = None
    restarts: Restarts = field(default_factory=Restarts)
    following: asyncio.Task[None] | None = None
    """Watches whether its peers' blocks follow the snapshot that it began with."""

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        process = self.folder.process
        return process is not None and process.alive

    async def status(self) -> NodeStatus:
        """How it is now."""
        process = self.folder.process
        if self.alive and not self.starting:
            found = await look(self.record, process.pid if process else 0, self.client)
            self.folder.note_reached(found.lib)
            return replace(found, since=first.block) if (first := self.folder.beginning) else found
        if self.starting:
            return NodeStatus(self.folder.name, NodeState.STARTING, self.record.mode)
        state = NodeState.FAILED if self.fault else NodeState.STARTING if process else NodeState.STOPPED
        lasting = state is NodeState.FAILED and (self.lasting or self.restarts.given_up)
        return NodeStatus(self.folder.name, state, self.record.mode, detail=self.fault, lasting=lasting)


def wanted(
    node: TrackedNode | None, spec: NodeSpec, mode: NodeMode | None, genesis: bytes | None, chain_id: str | None
) -> tuple[NodeRecord, bytes]:
    """What is to run, completed from how it ran last (None: it never ran). Raises UnknownNode."""
    if mode is None and node:
        mode = NodeMode.NORMAL if node.record.mode is NodeMode.STARTER else node.record.mode
    if genesis is None and node and node.folder.genesis.is_file():
        genesis = node.folder.genesis.read_bytes()
    if chain_id is None and node:
        chain_id = node.record.chain_id
    if mode is None or genesis is None or chain_id is None:
        raise UnknownNode(f"node {spec.name} has never run on this host: its mode and genesis are needed")
    return NodeRecord(spec, mode, chain_id), genesis


def check_alone(record: NodeRecord, nodes: Iterable[TrackedNode]) -> None:
    """The same producer on two nodes would sign two blocks for one slot. Raises BadConfiguration."""
    if not produces(record.spec, record.mode):
        return
    for other in nodes:
        same = other.record.spec.account == record.spec.account and other.record.spec.name != record.spec.name
        active = other.starting or other.alive
        if same and active and produces(other.record.spec, other.record.mode):
            raise BadConfiguration(
                f"node {record.spec.name}: {other.record.spec.name} signs as {record.spec.account} already: "
                "stop that one first"
            )


def equal(one: NodeRecord, other: NodeRecord) -> bool:
    """Whether the same is to run, with whatever keys."""
    return replace(one, keys=()) == replace(other, keys=())


def same(one: NodeRecord, other: NodeRecord) -> bool:
    """Whether going from one record to the other needs no restart. Peers change without one."""
    spec = one.spec.with_peers(other.spec.peers)
    mode = one.mode is other.mode or (one.mode, other.mode) == (NodeMode.STARTER, NodeMode.NORMAL)
    return spec == other.spec and mode and one.chain_id == other.chain_id
