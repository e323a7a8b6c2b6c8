"""Starts nodes for the boot, through their agents."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import few
from boot.step import NodeMode, NodeStep, Verdict
from coordinator.engine.access import CATCH_UP_SECONDS, NodeAccess, TaskFailedError, not_installed
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_specs import lease_message, node_spec
from coordinator.engine.snapshots import Beginnings
from coordinator.state.leases import Leases
from inventory.network import GENESIS_ACCOUNT, Node
from protos import coordination_pb2 as pb
from protos import modes
from protos.states import NodeState
from support.retry import poll
from support.snapshots import Snapshot
from support.tasks import all_of


class NodeWork:
    """Carries out node steps, and checks whether they are done."""

    def __init__(self, access: NodeAccess, lost: LostNodes, log: BootLog, beginnings: Beginnings | None = None) -> None:
        """log: gets a line for every start that a step requests. beginnings: how nodes without a chain begin."""
        self._beginnings = beginnings
        self._access = access
        self._lost = lost
        self._network = access.network
        self._log = log

    def evidence(self, step: NodeStep, blueprint: Blueprint) -> Verdict:
        """Whether the step's nodes run. The genesis node is retired once it runs in audit mode."""
        missing, names = [], step.nodes(blueprint)
        for name in names:
            status = self._access.status(self._network.node(name))
            right = status is not None and (step.mode is not NodeMode.AUDIT or status.mode == pb.MODE_AUDIT)
            if status is None or status.state != NodeState.RUNNING or not right:
                missing.append(name)
        lacking = f"; not running: {few(missing)}" if missing else ""
        run = f"{len(names) - len(missing)} of {len(names)} run{lacking}" if len(names) > 1 else ""
        return Verdict(tuple(missing), run)

    async def run(self, step: NodeStep, names: tuple[str, ...]) -> None:
        """Starts these nodes concurrently. Raises TaskFailedError, LinkError, DeadlineError."""
        await all_of(self.start(name, step.mode, step) for name in names)

    async def start(self, name: str, mode: NodeMode, step: NodeStep | None = None, *, anew: bool = False) -> None:
        """Starts a node in that mode. A node that ran before keeps its own, unless mode is AUDIT or anew is set."""
        node = self._network.node(name)
        if node.party:
            await self._follow(node, step)
            return
        self._check_installed(node)
        status = self._access.status(node)
        recorded = status is not None and mode is not NodeMode.AUDIT and not anew
        wanted = pb.MODE_RECORDED if recorded else modes.number(mode.value)
        found = await self._beginnings.of(node) if self._beginnings and mode is NodeMode.NORMAL else None
        note = await self.begin(node, wanted, found)
        if note and self._beginnings:
            self._beginnings.tell(f"{node.host}: {note}")
        if step:
            began = f", with the snapshot {found.name}" if found else ""
            self._log.commands(step.name, [f"# nodeos {name} started on {node.host}, mode {mode.value}{began}"])

    async def begin(self, node: Node, mode: pb.Mode.ValueType, found: Snapshot | None, *, anew: bool = False) -> str:
        """Starts a node, with this snapshot if it has no chain yet. anew: the chain that it has is put aside first.

        Returns why it did not start from the snapshot; empty if it did, or if there was none.
        Raises TaskFailedError, LinkError, DeadlineError.
        """
        body = pb.StartNode(spec=node_spec(self._network, node), mode=mode, anew=anew, lease=self._lease(node))
        if found:
            body.snapshot.CopyFrom(pb.Snapshot(**found.told))
        result = await self._access.task(node.host, body)
        await self._runs(node)
        return result.note

    def _check_installed(self, node: Node) -> None:
        """Raises TaskFailedError if the node's host was never installed: then waiting for its agent does not help."""
        if self._access.hub.register.find(node.host) is None:
            raise TaskFailedError(not_installed(node.host), retryable=False)

    def _lease(self, node: Node) -> pb.Lease | None:
        """The lease that lets a producer's node sign. eosio's node needs none, because it begins the chain."""
        if not node.account or node.account == GENESIS_ACCOUNT:
            return None
        return lease_message(Leases(self._access.hub.records.journal).give(node.account, node.host))

    async def stop(self, name: str) -> None:
        """Stops a node, and waits until that is reported. Raises TaskFailedError, LinkError, DeadlineError."""
        node = self._network.node(name)
        await self._access.task(node.host, pb.StopNode(name=name))

        async def told() -> bool:
            return not self._access.running(node)

        await poll(told, what=f"{name} to be reported as stopped", deadline=CATCH_UP_SECONDS)

    async def restart(self, name: str) -> None:
        """Restarts a running node as it was, with the current block-signing keys. Raises TaskFailedError, LinkError,
        DeadlineError.
        """
        node = self._network.node(name)
        link = self._access.link(node.host)
        await self._access.task(node.host, pb.RestartNode(name=name))
        before = link.status

        async def told() -> bool:
            return link.status is not before and self._access.running(node)

        await poll(told, what=f"{name} to be reported as running", deadline=CATCH_UP_SECONDS)

    async def produce(self, name: str, *, paused: bool) -> None:
        """Has a node pause or resume making blocks. Raises TaskFailedError, LinkError, DeadlineError."""
        await self._access.task(self._network.node(name).host, pb.Produce(name=name, paused=paused))

    async def _follow(self, node: Node, step: NodeStep | None) -> None:
        """A party's agent configures and starts its own node; it is told only the peers."""
        peers = [self._network.p2p(self._network.node(peer)) for peer in node.peers]
        await self._access.task(node.host, pb.Follow(peers=peers))
        await self._runs(node)
        if step:
            self._log.commands(step.name, [f"# party {node.host} starts its own node for {node.account}"])

    async def _runs(self, node: Node) -> None:
        link = self._access.link(node.host)

        async def told() -> bool:
            return link.connected and self._access.running(node)

        reported = poll(told, what=f"{node.name} to be reported as running", deadline=CATCH_UP_SECONDS, every=0.05)
        await self._lost.unless(node, reported)
