"""A node of this host as its supervisor tracks it, and which nodes may run at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.errors import BadConfiguration, UnknownNode
from agent.nodeos.config import produces
from agent.nodeos.spec import NodeSpec
from agent.nodes.folder import NodeFolder, NodeRecord, Withheld
from agent.nodes.leases import Leases, Verdict
from agent.nodes.state import NodeStatus, Restarts, look
from antelope.http import NodeClient
from boot.step import NodeMode
from inventory.network import Role
from protos.states import NodeState


@dataclass
class TrackedNode:
    """A node of this host, as the supervisor follows it."""

    folder: NodeFolder
    record: NodeRecord
    client: NodeClient
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is started, stopped or changed."""
    written: bool = False
    """Its folder once had a record of how it ran."""
    starting: bool = False
    fault: str = ""
    lasting: bool = False
    """The fault will not go away by itself."""
    reviving: asyncio.Task[None] | None = None
    restarts: Restarts = field(default_factory=Restarts)
    following: asyncio.Task[None] | None = None
    """Watches whether its peers' blocks follow the snapshot that it began with."""
    alive_at: float | None = None
    """When this agent last saw it alive, in Unix seconds."""
    since: float = 0.0
    """When its process began, in Unix seconds; 0: long ago."""
    doubles: tuple[str, ...] = ()
    """What shows that two nodes sign for one producer, the latest last."""

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        process = self.folder.process
        return process is not None and process.alive

    async def status(self) -> NodeStatus:
        """Its present state."""
        process = self.folder.process
        if self.alive and not self.starting:
            found = await look(self.record, process.pid if process else 0, self.client)
            self.folder.note_reached(found.lib)
            first, withheld = self.folder.beginning, self.folder.withheld
            since, why = first.block if first else 0, withheld.why if withheld else ""
            seed = self.record.spec.role is Role.SEED
            return replace(found, since=since, withheld=why, doubles=self.doubles, seed=seed)
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
        mode = ordinary(node.record.mode)
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


def withheld(node: TrackedNode, record: NodeRecord, leases: Leases | None) -> Withheld | None:
    """Why the node must run without its keys; None if it may sign, or never signs.

    leases: who may sign; None: whatever is started does.
    """
    if leases is None or record.mode is NodeMode.GENESIS or not produces(record.spec, record.mode):
        return None
    account, noted = str(record.spec.account), node.folder.withheld
    last = noted.signed_last if noted else node.alive_at or node.folder.log.last_words_at
    away = None if noted or last is None else time.time() - last
    match leases.verdict(account, away):
        case Verdict.SIGN:
            return None
        case Verdict.LOOK:
            return Withheld(f"it looks first whether another node signs as {account}", last)
        case Verdict.NEVER:
            return Withheld(leases.of(account).why, last)


def ordinary(mode: NodeMode) -> NodeMode:
    """The mode for another start: stale production is for a single one."""
    return NodeMode.NORMAL if mode is NodeMode.STARTER else mode


def equal(one: NodeRecord, other: NodeRecord) -> bool:
    """Whether both records are the same apart from the keys."""
    return replace(one, keys=()) == replace(other, keys=())


def same(one: NodeRecord, other: NodeRecord) -> bool:
    """Whether a change from one record to the other needs no restart. Peers change without one."""
    spec = one.spec.with_peers(other.spec.peers)
    mode = one.mode is other.mode or (one.mode, other.mode) == (NodeMode.STARTER, NodeMode.NORMAL)
    return spec == other.spec and mode and one.chain_id == other.chain_id
