"""Chooses the agent and the node that answer a query or carry out a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from antelope.errors import Unreachable
from boot.step import Query
from coordinator.advising import typed
from coordinator.agents.hub import Hub
from coordinator.agents.link import AgentAway, AgentLink
from coordinator.errors import OperationFailed
from inventory.network import Network, Node
from protos import coordination_pb2 as pb
from protos.states import NodeState

ACT_SECONDS = 600.0
"""Seconds that a task may take in total."""
CATCH_UP_SECONDS = 120.0
"""Seconds that a node may take to receive a block that its next transaction depends on."""


class TaskFailedError(OperationFailed):
    """An agent reported that it could not carry out a task."""

    def __init__(self, error: str, retryable: bool) -> None:
        super().__init__(error)
        self.retryable = retryable


def not_installed(host: str) -> str:
    """What to do about a host that never had an agent, in words."""
    return f"host {host} has no agent; run {typed('boot')}"


class NodeAccess:
    """Access to the network's nodes, through the agents that are connected."""

    def __init__(self, network: Network, hub: Hub, reached: Callable[[str], bool]) -> None:
        """reached: whether one of the operator's nodes has reached this party's node at its endpoint."""
        self.network = network
        self.hub = hub
        self._reached = reached

    def over(self, network: Network) -> NodeAccess:
        """Returns the same access for another set of nodes, such as the network with its parties' nodes."""
        return NodeAccess(network, self.hub, self._reached)

    def link(self, host: str) -> AgentLink:
        """The agent of a host. Raises Unreachable if it never enrolled."""
        try:
            return self.hub.links[host]
        except KeyError:
            raise AgentAway(not_installed(host)) from None

    def status(self, node: Node) -> pb.NodeStatus | None:
        """A node's latest status from its agent; None if the agent does not know the node or is not connected."""
        link = self.hub.links.get(node.host)
        if link is None or not link.connected or link.status is None:
            return None
        return next((status for status in link.status.nodes if status.name == node.name), None)

    def running(self, node: Node) -> bool:
        """Whether the node is running, according to its agent."""
        status = self.status(node)
        return status is not None and status.state == NodeState.RUNNING

    def whole(self, node: Node) -> bool:
        """Whether the node runs and has every block of the chain, because it did not start from a snapshot."""
        status = self.status(node)
        return status is not None and status.state == NodeState.RUNNING and not status.since

    def with_all_blocks(self) -> tuple[str, ...]:
        """Endpoints of the operator's nodes that have all blocks. Empty unless other nodes started from a snapshot."""
        seen = [(node, status) for node in self.network.nodes if not node.party and (status := self.status(node))]
        if not any(status.since for _, status in seen):
            return ()
        return tuple(self.network.p2p(node) for node, status in seen if not status.since)

    @property
    def reader(self) -> Node:
        """The node that evidence is read from: the genesis node, or else another of the operator's running nodes,
        preferably one that has all blocks.
        """
        candidates = (self.network.genesis_node, *self.network.nodes)
        running = [node for node in candidates if self.running(node) and not node.party]
        found = next((node for node in running if self.whole(node)), next(iter(running), None))
        if found is None:
            raise Unreachable("no node is running")
        return found

    async def ask(self, query: Query) -> Any:
        """nodeos' answer to a query. Raises NodeError."""
        node = self.network.node(query.node) if query.node else self.reader
        if node.party:
            self._check_found(node)
        return await self.link(node.host).query(node.name, query.path, query.body)

    async def task(
        self,
        host: str,
        body: Any,
        on_progress: Callable[[pb.Progress], None] | None = None,
        keys: Iterable[str] = (),
    ) -> pb.Result:
        """Has a host's agent carry out a task; on_progress and keys: as AgentLink's. Raises TaskFailedError, LinkError,
        DeadlineError."""
        result = await self.link(host).task(body, on_progress, deadline=ACT_SECONDS, keys=keys)
        if not result.ok:
            raise TaskFailedError(result.error, result.retryable)
        return result

    def _check_found(self, node: Node) -> None:
        """Raises Unreachable for a party's node that none of the operator's nodes has reached at its endpoint yet."""
        if not self._reached(node.host):
            raise Unreachable(f"{self.network.p2p(node)} is being dialled back")

    def pusher(self, account: str) -> Node:
        """See `pusher`. Once the genesis node no longer signs, transactions go to the account's own node."""
        chosen = pusher(self.network, account)
        status = self.status(chosen)
        signs = status is not None and status.state == NodeState.RUNNING and status.mode == pb.MODE_GENESIS
        return chosen if signs else own_node(self.network, account) or chosen


def pusher(network: Network, account: str) -> Node:
    """The node to which this account's agent pushes transactions while the genesis node signs: the genesis node, if it
    is on the agent's host; otherwise the account's own. The genesis node makes the blocks, so no other node has to
    follow.
    """
    own, genesis = own_node(network, account), network.genesis_node
    return own if own and own.host != genesis.host else genesis


def own_node(network: Network, account: str) -> Node | None:
    """The node that signs blocks for the account."""
    return next((node for node in network.nodes if node.account == account), None)
