"""Decides on which host and ports each node runs, and for which producer.

By default the genesis node goes to the first host. Every producer without a node of its own in
the file gets one named after its account, on the host with the fewest producers so far; among equals the second host
comes first, then the third, and the first host last. So losing a host costs as few producers as possible. On each
address p2p ports count up from 9876 and HTTP ports from 8888, skipping those in the file; the genesis node's come last.

Once a network is sealed, placement is remembered: a node keeps its host and its ports, because its keys are there and
others know its endpoint. Only new nodes are placed by the rule. A file that names another host for a producer is
refused: its keys cannot move. Another node stays where it is, too, until it is moved by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from inventory import syntax
from inventory.errors import Problems
from inventory.model import NodeTable, ProducersTable, ProducerTable
from inventory.network import GENESIS_ACCOUNT, Host, Node, Role, SnapshotRule
from inventory.options import merged
from inventory.placed import Placed, Wanted, left, ported
from inventory.planned import PlannedProducer
from inventory.services import with_services

NOTHING: Mapping[str, Placed] = MappingProxyType({})


def place(
    tables: Sequence[NodeTable],
    producers: ProducersTable,
    planned: Sequence[PlannedProducer],
    hosts: Sequence[Host],
    options: Mapping[str, Any],
    problems: Problems,
    remembered: Mapping[str, Placed] = NOTHING,
    snapshot: str = SnapshotRule.AUTO,
) -> tuple[Node, ...]:
    """Every node with its host, ports and options; peers are added later.

    producers: as written in the inventory; options: nodeos options for every node. remembered: where the nodes of a
    sealed network are, by name. snapshot: the rule for nodes that have none of their own.
    """
    homes = {placed.account: placed.host for placed in remembered.values() if placed.account}
    retired = {placed.account for placed in remembered.values() if placed.retired}
    listed = [_written(table, f"nodes[{index}]", problems) for index, table in enumerate(tables)]
    signing = {node.account for node in listed}
    if GENESIS_ACCOUNT not in signing:
        listed.insert(0, Wanted("nodes", NodeTable(host=hosts[0].name), "genesis", Role.GENESIS, GENESIS_ACCOUNT))
    wanted = [node for node in listed if node.account not in retired]
    working = [producer for producer in planned if producer.account not in retired]
    wanted += _of_producers(working, _producers(producers), wanted, signing, homes, hosts, problems)
    _check(wanted, {producer.account for producer in planned}, problems)
    wanted = [_kept(node, remembered.get(node.name), hosts) for node in wanted]
    _stays(wanted, homes, hosts, problems)
    homed = [_homed(node, hosts, problems) for node in wanted]
    placed = ported(homed, left({node.name: host.name for node, host in homed}, hosts, remembered), problems)
    placed = with_services(placed, [(node.path, node.table) for node in wanted], hosts, problems)
    shared, rule = ("nodeos.options", options), _rule(snapshot, "nodeos.snapshot", problems)
    return tuple(
        replace(
            node,
            options=merged(shared, (f"{source.path}.options", source.table.options), source.role, problems),
            snapshot=_rule(source.table.snapshot or _usual(rule, source.role), f"{source.path}.snapshot", problems),
        )
        for node, source in zip(placed, wanted, strict=True)
    )


def _of_producers(
    planned: Iterable[PlannedProducer],
    written: Mapping[str, tuple[str, ProducerTable]],
    wanted: Sequence[Wanted],
    signing: Collection[str | None],
    homes: Mapping[str, str],
    hosts: Sequence[Host],
    problems: Problems,
) -> list[Wanted]:
    """The nodes of producers that have none in the list, each on its earlier host or on the one with the fewest
    producers.

    written: the producers' own entries. signing: accounts with a node in the list. homes: the earlier hosts.
    """
    load = {host.name: 0 for host in (*hosts[1:], hosts[0])}
    load.update(Counter(node.table.host or hosts[0].name for node in wanted if node.role is Role.PRODUCER))
    found = []
    for producer in planned:
        path, entry = written.get(producer.account, ("producers.count", ProducerTable(producer.account)))
        if producer.account in signing:
            if not entry.node:
                problems.add(f"{path}.node", f"is false, but {producer.account} has a node under nodes", "remove one")
        elif entry.node and not producer.party:
            home = homes.get(producer.account)
            home = home if home in load else None
            table = NodeTable(host=entry.host or home or min(load, key=load.__getitem__))
            load.update({str(table.host): load.get(str(table.host), 0) + 1})
            found.append(Wanted(path, table, producer.account, Role.PRODUCER, producer.account))
    return found


def _usual(rule: SnapshotRule, role: Role) -> SnapshotRule:
    """The rule of a node that has none of its own. A history node never starts from a snapshot: earlier blocks would
    be missing."""
    return SnapshotRule.NEVER if role is Role.HISTORY else rule


def _rule(text: str, path: str, problems: Problems) -> SnapshotRule:
    try:
        return SnapshotRule(text)
    except ValueError:
        problems.add(path, f"{text!r} is not one of {', '.join(SnapshotRule)}")
        return SnapshotRule.AUTO


def _producers(table: ProducersTable) -> dict[str, tuple[str, ProducerTable]]:
    """The nodes that the file names, each with its place in the file."""
    listed = [(f"producers.list[{index}]", entry) for index, entry in enumerate(table.list)]
    for index, one in enumerate(table.later):
        entry = ProducerTable(one.account, one.url, one.location, one.host)
        listed.append((f"producers.later[{index}]", entry))
    return {entry.account: (path, entry) for path, entry in listed}


def _kept(node: Wanted, placed: Placed | None, hosts: Sequence[Host]) -> Wanted:
    """A node whose host or ports the file leaves out keeps its current ones; so does one that has yet to be moved."""
    gone = placed is not None and placed.host not in {host.name for host in hosts}
    if placed is None or gone or node.account != (placed.account or None):
        return node
    table = node.table
    if table.host is None:
        table = replace(table, host=placed.host)
    if table.host != placed.host and node.account is None and table.host in {host.name for host in hosts}:
        here = NodeTable(table.name, placed.host, table.role, options=table.options, snapshot=table.snapshot)
        node, table = replace(node, asked_host=str(table.host)), here  # the file's ports and addresses are the other's
    if table.host == placed.host:
        table = replace(
            table,
            p2p_port=(placed.p2p_port or None) if table.p2p_port is None else table.p2p_port,
            http_port=(placed.http_port or None) if table.http_port is None else table.http_port,
        )
    return replace(node, table=table)


def _stays(wanted: Sequence[Wanted], homes: Mapping[str, str], hosts: Sequence[Host], problems: Problems) -> None:
    """A producer's node runs where its keys are."""
    names = {host.name for host in hosts}
    for node in wanted:
        home = homes.get(node.account or "")
        if home is None:
            continue
        if home not in names:
            hint = (
                f"list host {home} again; a dead machine's successor takes its name. To take it out, first: "
                f"coord node INVENTORY move {node.name} --to HOST"
            )
            problems.add("hosts", f"{home} is missing, and the keys of {node.account} are there", hint)
        elif node.table.host not in (None, home):
            hint = f"leave its host out of the file, then: coord node INVENTORY move {node.name} --to {node.table.host}"
            problems.add(f"{node.path}.host", f"the keys of {node.account} are on {home}, not {node.table.host}", hint)


def _written(table: NodeTable, path: str, problems: Problems) -> Wanted:
    role = _role(table, path, problems)
    account = GENESIS_ACCOUNT if role is Role.GENESIS else table.account
    if role is Role.GENESIS and table.account not in (None, GENESIS_ACCOUNT):
        problems.add(f"{path}.account", "the genesis node signs as eosio", "remove it")
    if role is Role.PRODUCER and table.account is None:
        problems.add(f"{path}.account", "is missing", "a producer's node names the producer it signs for")
    if not role.signs and table.account is not None:
        problems.add(
            f"{path}.account", f"a node with role {role} does not sign", 'remove it, or write role = "producer"'
        )
        account = None
    name = table.name or ("genesis" if role is Role.GENESIS else table.account)
    if name is None:
        problems.add(f"{path}.name", "is missing", "a node without an account needs a name")
    return Wanted(path, table, name or f"node{path}", role, account)


def _role(table: NodeTable, path: str, problems: Problems) -> Role:
    default = Role.FULL if table.account is None else Role.PRODUCER
    if table.role is None:
        return Role.GENESIS if table.account == GENESIS_ACCOUNT else default
    try:
        return Role(table.role)
    except ValueError:
        problems.add(f"{path}.role", f"{table.role!r} is not one of {', '.join(Role)}")
        return default


def _check(wanted: Sequence[Wanted], registered: set[str], problems: Problems) -> None:
    """Names and accounts are unique, and every account is a producer's."""
    names: dict[str, Wanted] = {}
    signing: dict[str, str] = {}
    for node in wanted:
        if other := names.get(node.name):
            path = f"{node.path}.name" if node.path.startswith("nodes[") else node.path
            problems.add(
                path,
                f"the node name {node.name} is taken by {other.path}",
                f"rename one of them{_or_role(node, other)}",
            )
        elif node.table.name is not None and (wrong := syntax.identifier(node.name)):
            problems.add(f"{node.path}.name", wrong)
        names.setdefault(node.name, node)
        if node.account is None:
            continue
        if node.account in signing:
            problems.add(f"{node.path}.account", f'node "{signing[node.account]}" already signs for {node.account}')
        elif node.role is Role.PRODUCER and node.account not in registered:
            problems.add(
                f"{node.path}.account", f"{node.account} is not a producer of this network", "list it in producers"
            )
        signing.setdefault(node.account, node.name)


def _or_role(*two: Wanted) -> str:
    """Another way out for two nodes of one name, where one is there by the rule and the other may mean it."""
    for node in two:
        if not node.path.startswith("nodes["):
            meant = 'role = "genesis"' if node.role is Role.GENESIS else f'account = "{node.account}"'
            return f", or write {meant} in nodes if that is the node"
    return ""


def _homed(node: Wanted, hosts: Sequence[Host], problems: Problems) -> tuple[Wanted, Host]:
    """The node with its host. One whose host is missing takes no ports on the first host, which stands in for it."""
    wanted = node.table.host
    if wanted is None:
        return node, hosts[0]
    for host in hosts:
        if host.name == wanted:
            return node, host
    problems.add(
        f"{node.path}.host", f"there is no host {wanted!r}", f"known: {', '.join(host.name for host in hosts)}"
    )
    return replace(node, table=replace(node.table, p2p_port=None, http_port=None)), hosts[0]


def with_nodes(planned: Sequence[PlannedProducer], nodes: Sequence[Node]) -> tuple[PlannedProducer, ...]:
    """The producers with the names of the nodes that sign for them."""
    names = {node.account: node.name for node in nodes}
    return tuple(replace(producer, node=names.get(producer.account)) for producer in planned)
