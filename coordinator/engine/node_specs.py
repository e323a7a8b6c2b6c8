"""Converts a node of the inventory to the protocol message that its agent gets."""

from __future__ import annotations

from coordinator.state.leases import Lease
from inventory.network import Network, Node
from protos import coordination_pb2 as pb


def node_spec(network: Network, node: Node) -> pb.NodeSpec:
    """The node as its agent starts it. If all hosts are local, p2p listens on loopback only."""
    host = network.host(node.host)
    everyone_local = all(other.local for other in network.hosts if not other.party)
    return pb.NodeSpec(
        name=node.name,
        role=node.role.value,
        account=node.account or "",
        p2p_bind=f"{'127.0.0.1' if everyone_local else '0.0.0.0'}:{node.p2p_port}",  # noqa: S104 (p2p is public)
        p2p_endpoint=network.p2p(node),
        http_port=node.http_port,
        peers=[network.p2p(network.node(peer)) for peer in node.peers],
        options=dict(node.options),
        nodeos=host.nodeos,
        api=node.api,
        history=node.history,
        prometheus=node.prometheus,
    )


def lease_message(lease: Lease) -> pb.Lease:
    """The lease as the protocol message for agents."""
    look = not lease.settled
    return pb.Lease(account=lease.account, number=lease.number, host=lease.host, look=look, key=lease.key)
