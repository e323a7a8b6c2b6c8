"""Drains a host for work on its machine: all of its producers pause, or none. Their nodes keep following the chain."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.advising import typed
from coordinator.engine.access import NodeAccess
from coordinator.engine.node_work import NodeWork
from coordinator.engine.pausing import makes_blocks
from coordinator.errors import OperationFailed
from coordinator.reporter import Reporter
from inventory.network import Node
from support.tasks import tolerated

from .rolling import check_dispensable, turn_over


async def drain(access: NodeAccess, work: NodeWork, host: str, reporter: Reporter, *, force: bool) -> str:
    """Pauses every producer of the host. Returns the outcome as a line.

    force: also if the schedule cannot lose them all. Raises OperationFailed, with nothing paused; NodeError.
    """
    nodes = _producers(access, host)
    if not nodes:
        return f"no producer's node runs on {host}"
    if not force:
        await _check(access, work, host, nodes, reporter)
    before = [node for node in nodes if await makes_blocks(access, node)]
    done: list[Node] = []
    try:
        for node in before:
            await turn_over(access, work, node, reporter)
            done.append(node)  # it may pause although its agent's answer is lost
            await work.produce(node.name, paused=True)
    except Exception:
        for node in done:
            await tolerated(work.produce(node.name, paused=False), f"{node.name}: resuming", OperationFailed)
        raise
    names = ", ".join(node.name for node in nodes)
    makes = "makes" if len(nodes) == 1 else "make"
    return f"{names} of {host} {makes} no blocks until {typed('host', 'undrain', host)}"


async def undrain(access: NodeAccess, work: NodeWork, host: str) -> str:
    """Resumes every producer of the host. Returns the outcome as a line. Raises OperationFailed."""
    nodes = _producers(access, host)
    if not nodes:
        return f"no producer's node runs on {host}"
    for node in nodes:
        await work.produce(node.name, paused=False)
    makes = "makes" if len(nodes) == 1 else "make"
    return f"{', '.join(node.name for node in nodes)} of {host} {makes} blocks again"


def _producers(access: NodeAccess, host: str) -> list[Node]:
    """The operator's producers' nodes that run on the host."""
    nodes = [node for node in access.network.nodes if node.host == host and node.account and not node.party]
    return [node for node in nodes if access.running(node)]


async def _check(access: NodeAccess, work: NodeWork, host: str, nodes: Sequence[Node], reporter: Reporter) -> None:
    try:
        await check_dispensable(access, work, nodes, reporter)
    except OperationFailed as refused:
        raise OperationFailed(f"{host} is not drained: {refused}. --force overrides this") from refused
