"""Which ports nodes get: counted up on each address, without those that its other nodes have."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import count

from inventory.network import Network

FIRST_P2P_PORT = 9876
FIRST_HTTP_PORT = 8888


def free(first: int, taken: Container[int]) -> Iterator[int]:
    """The ports from the first on that are not taken."""
    return (number for number in count(first) if number not in taken)


def free_pair(network: Network, address: str) -> tuple[int, int]:
    """A p2p and an HTTP port for one more node on this address, which none of its nodes has for either."""
    there = [node for node in network.nodes if network.host(node.host).address == address]
    taken = {port for node in there for port in (node.p2p_port, node.http_port)}
    p2p = next(free(FIRST_P2P_PORT, taken))
    return p2p, next(free(FIRST_HTTP_PORT, taken | {p2p}))
