"""`coord snapshot`: takes, lists and fetches snapshots, and restarts a node from one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from antelope.errors import NodeError
from coordinator.advising import typed
from coordinator.agents.link import LinkError
from coordinator.engine.access import TaskFailedError
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.engine.snapshots import Limits, SnapshotWork
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties import vouchers
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows.changing.acting import here_or_there
from coordinator.workflows.changing.rolling import check_dispensable
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from support.errors import SupportError
from support.retry import DeadlineError, poll
from support.snapshots import KEEP, KEEP_DAYS, Snapshot, matches

_FAILURES = (TaskFailedError, LinkError, SupportError, OSError)
"""The errors of taking, fetching and restarting; any other is a bug of the coordinator."""
BACK_SECONDS = 300.0
"""Seconds from a node's start from a snapshot until it has the newest blocks."""


class SnapshotAction(StrEnum):
    """The actions of `coord snapshot`."""

    TAKE = "take"
    LIST = "list"
    FETCH = "fetch"
    RESTART = "restart"


@dataclass(frozen=True)
class SnapshotRequest:
    """The request of a user."""

    action: SnapshotAction
    node: str = ""
    """take: empty for the genesis node, or another that has all blocks. restart: whose chain is given up."""
    snapshot: str = ""
    """Its name, or the beginning of its sha256; empty: the newest."""
    keep: int = KEEP
    days: float = KEEP_DAYS
    vouch: bool = False
    """take: parties sign their nodes' state at the same block."""

    def check(self, network: Network) -> None:
        """Raises UsageProblem."""
        if self.node and self.node not in {node.name for node in network.nodes}:
            raise UsageProblem(f"{network.source}: there is no node {self.node!r}; {typed('status')} lists them")

    def to_json(self) -> dict[str, Any]:
        """For the coordinator that runs."""
        return {
            "what": str(self.action), "node": self.node, "snapshot": self.snapshot, "keep": self.keep,
            "days": self.days, "vouch": self.vouch,
        }  # fmt: skip

    @staticmethod
    def from_json(document: dict[str, Any]) -> SnapshotRequest:
        """Reads what `to_json` wrote."""
        return SnapshotRequest(
            SnapshotAction(document["what"]), str(document["node"]), str(document["snapshot"]),
            int(document["keep"]), float(document["days"]), bool(document["vouch"]),
        )  # fmt: skip


async def snapshots(network: Network, root: Path, request: SnapshotRequest, reporter: Reporter) -> dict[str, Any]:
    """Carries out the request, or has a running coordinator do so. Returns the document that `coord snapshot --json`
    prints.
    """
    request.check(network)

    async def here(opened: OpenNetwork) -> dict[str, Any]:
        return await do(opened, request, reporter)

    needs = request.action in (SnapshotAction.TAKE, SnapshotAction.RESTART)
    return await here_or_there(network, root, reporter, here, "snapshot", request.to_json(), needs_agent=needs)


async def do(opened: OpenNetwork, request: SnapshotRequest, reporter: Reporter) -> dict[str, Any]:
    """Raises OperationFailed, UsageProblem, NodeError, DeadlineError."""
    request.check(opened.network)
    work = SnapshotWork(opened.access, opened.state.snapshots, opened.state.host_data, reporter.note)
    try:
        match request.action:
            case SnapshotAction.TAKE:
                node = opened.network.node(request.node) if request.node else opened.access.reader
                found = await _taken(opened, work, node, request, reporter)
                shown = _shown(opened, work, found)
                return {"snapshots": [shown | {"hosts": sorted({*shown["hosts"], node.host})}]}
            case SnapshotAction.LIST:
                return {"snapshots": [_shown(opened, work, one) for one in _all(opened, work)]}
            case SnapshotAction.FETCH:
                found = await _brought(opened, work, request.snapshot)
                return {"snapshots": [_shown(opened, work, found)]}
            case SnapshotAction.RESTART:
                found = await _brought(opened, work, request.snapshot)
                await _restart(opened, opened.network.node(request.node), found, reporter)
                return {"snapshots": [_shown(opened, work, found)], "restarted": request.node}
    except _FAILURES as error:
        raise OperationFailed(str(error)) from error
    raise AssertionError(request.action)


async def _taken(
    opened: OpenNetwork, work: SnapshotWork, node: Node, request: SnapshotRequest, reporter: Reporter
) -> Snapshot:
    """Takes a snapshot and, if requested, has parties sign their nodes' states of the same block."""
    limits = Limits(request.keep, request.days)
    if not request.vouch:
        return await work.take(node, limits)
    block = vouchers.next_block(opened)
    reporter.note(f"all take a snapshot of block {block}, once that is irreversible")
    try:
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(work.take(node, limits, block))
            signing = group.create_task(vouchers.collect(opened, block, reporter.note))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed  # the first to fail; the other task was cancelled for it
    vouchers.keep(work.store, taking.result().sha256, signing.result())
    return taking.result()


def _shown(opened: OpenNetwork, work: SnapshotWork, snapshot: Snapshot) -> dict[str, Any]:
    here = work.store.find(snapshot.sha256) is not None
    document = snapshot.document() | {"hosts": _hosts(opened, snapshot), "here": here}
    del document["chain_id"]
    signed = sorted(voucher.account for voucher in vouchers.kept(work.store, snapshot.sha256))
    return document | {"vouchers": signed, "path": str(work.store.path(snapshot.sha256)) if here else ""}


def _hosts(opened: OpenNetwork, snapshot: Snapshot) -> list[str]:
    return [host for host, kept in _kept(opened).items() if any(one.sha256 == snapshot.sha256 for one in kept)]


def _kept(opened: OpenNetwork) -> dict[str, Sequence[pb.Snapshot]]:
    """What each of the operator's hosts keeps. Parties' claims do not count: a false one would be the newest."""
    own = {node.host for node in opened.network.nodes if not node.party}
    links = ((name, link) for name, link in opened.hub.links.items() if name in own and link.connected)
    return {name: link.status.snapshots for name, link in links if link.status}


def _all(opened: OpenNetwork, work: SnapshotWork) -> list[Snapshot]:
    """The snapshots here and on hosts, newest first."""
    found = {one.sha256: one for one in work.store.all()}
    for told in chain.from_iterable(_kept(opened).values()):
        found.setdefault(told.sha256, work.known(told))
    return sorted(found.values(), key=lambda one: (one.block, one.taken), reverse=True)


async def _brought(opened: OpenNetwork, work: SnapshotWork, name: str) -> Snapshot:
    """The snapshot of that name, here. Raises OperationFailed, NodeError."""
    found = next((one for one in _all(opened, work) if matches(one, name)), None)
    if found is None:
        what = f"there is no snapshot {name!r}" if name else "there is no snapshot yet"
        raise OperationFailed(f"{what}; run: {typed('snapshot', 'take')}")
    if work.store.find(found.sha256) is None:
        hosts = _hosts(opened, found)
        nodes = [node for node in opened.network.nodes if node.host in hosts and opened.access.status(node)]
        if not nodes:
            raise OperationFailed(f"no agent is connected that keeps the snapshot {found.name}")
        await work.bring(nodes[0], found)
    return found


async def _restart(opened: OpenNetwork, node: Node, found: Snapshot, reporter: Reporter) -> None:
    access = opened.access
    work = NodeWork(access, LostNodes(access, opened.sealed), BootLog(opened.state.boot_log))
    others = [one for one in access.network.nodes if one.name != node.name and not one.party]
    if not any(access.whole(one) for one in others):
        raise OperationFailed(f"{node.name} is not restarted: no other running node has all blocks of the chain")
    if access.running(node):
        await check_dispensable(access, work, [node], reporter)
        await work.stop(node.name)
    reporter.note(f"{node.host}: {node.name} begins with the snapshot {found.name}")
    note = await work.begin(node, pb.MODE_RECORDED, found, anew=True)
    if note:
        raise OperationFailed(f"{node.host}: {note}")

    async def level() -> bool:
        status = access.status(node)
        heads = [other.head for one in others if access.running(one) and (other := access.status(one))]
        return status is not None and access.running(node) and status.head + 4 >= max(heads, default=0)

    try:
        await poll(level, what=f"{node.name} to have the newest blocks", deadline=BACK_SECONDS)
    except (DeadlineError, NodeError) as error:
        raise OperationFailed(f"{node.host}: {error}") from error
