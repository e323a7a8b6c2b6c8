"""Where nodes are and were placed, and their ports: what the file or the rule says, and none that another may have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inventory import syntax
from inventory.errors import Problems
from inventory.model import NodeTable
from inventory.network import Host, Node, Role
from inventory.ports import FIRST_HTTP_PORT, FIRST_P2P_PORT, free


@dataclass(frozen=True)
class Wanted:
    """A node that has no host and ports yet."""

    path: str
    """Its place in the inventory, for problems."""
    table: NodeTable
    name: str
    role: Role
    account: str | None
    asked_host: str = ""
    """Of a node without keys that stays on another host: the host that the file names."""


@dataclass(frozen=True)
class Placed:
    """The place of a node of a sealed network."""

    host: str
    account: str
    """The producer that it signs for; empty if none."""
    p2p_port: int
    """0: by the rule, as for `http_port`."""
    http_port: int
    retired: bool = False
    """Whether its producer was retired. It then gets no node until it is added again; its keys stay where they are."""

    @staticmethod
    def of(node: Node) -> Placed:
        """The place of a node of the network."""
        return Placed(node.host, node.account or "", node.p2p_port, node.http_port)


def left(homes: Mapping[str, str], hosts: Sequence[Host], remembered: Mapping[str, Placed]) -> dict[str, set[int]]:
    """By address the ports of nodes that may still run where the file no longer has them. homes: hosts by node."""
    found: dict[str, set[int]] = {host.address: set() for host in hosts}
    for host in hosts:
        for name, placed in remembered.items():
            if placed.host == host.name != homes.get(name):
                found[host.address] |= {placed.p2p_port, placed.http_port}
    return found


def ported(
    placed: Sequence[tuple[Wanted, Host]], left: Mapping[str, Collection[int]], problems: Problems
) -> tuple[Node, ...]:
    """Assigns every node's ports; hosts with the same address share its ports. left: those that no new node gets."""
    taken: dict[str, dict[int, str]] = {host.address: {} for _, host in placed}
    for node, host in placed:
        there = taken[host.address]
        for key in ("p2p_port", "http_port"):
            number = getattr(node.table, key)
            if number is None:
                continue
            if wrong := syntax.port(number):
                problems.add(f"{node.path}.{key}", wrong)
            elif number in there:
                problems.add(
                    f"{node.path}.{key}",
                    f'{number} is taken by node "{there[number]}"',
                    "give each node of a host its own port",
                )
            there.setdefault(number, node.name)
    used = {address: {*there, *left.get(address, ())} for address, there in taken.items()}
    p2p = {address: free(FIRST_P2P_PORT, there) for address, there in used.items()}
    http = {address: free(FIRST_HTTP_PORT, there) for address, there in used.items()}
    # cleos asks port 8888 by default. The genesis node comes last because it takes no transactions after the handover.
    http_ports = {
        node.name: _port(node.table.http_port, http[host.address])
        for node, host in sorted(placed, key=lambda one: one[0].role is Role.GENESIS)
    }
    return tuple(
        Node(
            node.name,
            host.name,
            node.role,
            node.account,
            _port(node.table.p2p_port, p2p[host.address]),
            http_ports[node.name],
            asked_host=node.asked_host,
        )
        for node, host in placed
    )


def _port(written: int | None, free: Iterator[int]) -> int:
    return next(free) if written is None else written
