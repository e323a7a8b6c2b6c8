"""A full node on a host that has an account's key and no node that takes transactions, while its agent pushes one.

A host is left so when its producer has moved to another one: the account's key stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from boot.step import NodeMode
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.parties.open_network import OpenNetwork
from inventory.network import Network, Node, Role
from inventory.ports import free_pair
from protos import coordination_pb2 as pb
from protos.states import NodeState

from .rolling import at_head

NAME = "pusher"
PEERS = 4


def takes(opened: OpenNetwork, host: str) -> bool:
    """Whether a node of the host that is meant to run takes transactions: one that audits takes none."""
    link = opened.hub.links.get(host)
    nodes = link.status.nodes if link and link.status else ()
    return any(
        node.state != NodeState.STOPPED and node.mode != pb.MODE_AUDIT and node.spec.role != Role.SEED for node in nodes
    )


@asynccontextmanager
async def pushing(opened: OpenNetwork, host: str, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Has a full node run there during the block, once it has fetched the chain; afterwards it is stopped.

    Raises OperationFailed, NodeError, DeadlineError.
    """
    network = with_pusher(opened.network, host)
    access, node = opened.access.over(network), network.node(NAME)
    work = NodeWork(access, LostNodes(access, opened.sealed), BootLog(opened.state.boot_log))
    tell(f"{host}: no node here takes transactions; one starts for as long as its agent needs it, and catches up")
    await work.start(NAME, NodeMode.NORMAL)
    try:
        await at_head(access, node)
        yield
    finally:
        await work.stop(NAME)


def with_pusher(network: Network, host: str) -> Network:
    """The network with that node, on ports that no node of the same address has. Pure."""
    near = [node for node in network.nodes if not node.party and node.role is Role.PRODUCER]
    node = Node(
        NAME, host, Role.FULL, None, *free_pair(network, network.host(host).address),
        peers=tuple(one.name for one in near[:PEERS]), options=near[0].options if near else {},
    )  # fmt: skip
    return replace(network, nodes=(*network.nodes, node))
