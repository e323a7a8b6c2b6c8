"""The addresses at which hosts serve others: the chain API of role api, state history of role history, agents' metrics.

A node's `http_port` is for its own agent, and stays on loopback. These addresses are separate from it. They are on
loopback too, for a proxy, an indexer or Prometheus on the same host, unless the inventory names a wider address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inventory import syntax
from inventory.errors import Problems
from inventory.model import NodeTable
from inventory.network import BUNDLED, Host, Node, Role
from inventory.options import SERVING

API_OFFSET, HISTORY_OFFSET = 1000, 2000
"""Offset from `http_port` of the ports that the inventory leaves out."""


def with_services(
    nodes: Sequence[Node], tables: Sequence[tuple[str, NodeTable]], hosts: Sequence[Host], problems: Problems
) -> tuple[Node, ...]:
    """The nodes with their addresses. tables: each node's place in the inventory, and what is written there."""
    found = tuple(_served(node, path, table, problems) for node, (path, table) in zip(nodes, tables, strict=True))
    addresses = {host.name: host.address for host in hosts}
    taken = {
        (addresses[node.host], port): f'node "{node.name}"'
        for node in found
        for port in (node.p2p_port, node.http_port)
    }
    served = [
        (f"{path}.{part}", addresses[node.host], at, f'node "{node.name}"')
        for node, (path, _) in zip(found, tables, strict=True)
        for part, at in _addresses(node)
    ]
    exported = [
        (f"hosts[{index}].metrics", host.address, host.metrics, f'the agent of host "{host.name}"')
        for index, host in enumerate(hosts)
        if host.metrics
    ]
    for path, address, at, who in (*served, *exported):
        place = (address, _port(at))
        if place in taken:
            problems.add(path, f"port {place[1]} is taken by {taken[place]}", "write another HOST:PORT")
        taken.setdefault(place, who)
    return found


def with_prometheus(nodes: Sequence[Node], hosts: Sequence[Host], problems: Problems) -> tuple[Node, ...]:
    """For nodeos.prometheus: marks the nodes that run the user's own nodeos, to export that nodeos' values."""
    own = {host.name for host in hosts if host.nodeos != BUNDLED}
    if not own:
        hint = "remove it, or name a nodeos that has it (Leap 4 or newer, Spring) as nodeos.path or hosts.nodeos"
        problems.add("nodeos.prometheus", "the bundled nodeos has no prometheus_plugin", hint)
    return tuple(replace(node, prometheus=node.host in own) for node in nodes)


def _addresses(node: Node) -> Iterator[tuple[str, str]]:
    yield from ((part, at) for part, at in (("api", node.api), ("history", node.history)) if at)


def _served(node: Node, path: str, table: NodeTable, problems: Problems) -> Node:
    api, history = "", ""
    if node.role in SERVING:
        usual = node.http_port + API_OFFSET if node.role is Role.API else None
        api = _address(table.api, usual, f"{path}.api", problems)
    elif table.api is not None:
        problems.add(f"{path}.api", f"a node with role {node.role} has none", 'remove it, or write role = "api"')
    if node.role is Role.HISTORY:
        history = _address(table.history, node.http_port + HISTORY_OFFSET, f"{path}.history", problems)
    elif table.history is not None:
        problems.add(
            f"{path}.history", f"a node with role {node.role} has none", 'remove it, or write role = "history"'
        )
    return replace(node, api=api, history=history)


def _address(written: str | None, usual: int | None, path: str, problems: Problems) -> str:
    """The address; empty: none, or a wrong one, which is a problem."""
    if written is None:
        if usual is not None and usual > 65535:
            problems.add(path, f"is missing, and {usual}, the usual port here, is not a port", 'write "HOST:PORT"')
        return f"127.0.0.1:{usual}" if usual is not None and usual <= 65535 else ""
    return serving_address(written, path, problems)


def serving_address(written: str, path: str, problems: Problems) -> str:
    """The HOST:PORT that was written; empty if it is wrong, which is a problem."""
    if wrong := syntax.listening(written):
        problems.add(path, wrong)
        return ""
    if not _port(written):
        problems.add(path, "others cannot know which port 0 stands for", "write 1 to 65535")
        return ""
    return written


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
