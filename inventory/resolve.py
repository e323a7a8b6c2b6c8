"""From the inventory to the network: every default filled in, every rule checked, all mistakes reported together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from string import hexdigits

from antelope.features import DIGESTS, PREACTIVATE_FEATURE
from inventory import (
    placement,
    resolve_accounts,
    resolve_chain,
    resolve_contracts,
    resolve_hosts,
    resolve_parties,
    syntax,
    topology,
)
from inventory.errors import Problems
from inventory.model import Inventory, SystemTable, TopologyTable
from inventory.network import Network, Node, Role, Topology
from inventory.placed import Placed
from inventory.services import with_prometheus

DIGEST_DIGITS = 64
"""Characters of a feature's digest, in hexadecimal."""


def resolve(inventory: Inventory, source: Path, problems: Problems, remembered: Mapping[str, Placed]) -> Network:
    """The network; usable only if no problem was added. A users' CSV is not read yet (`inventory.load`).

    remembered: where the nodes of a sealed network are, by name.
    """
    folder = source.parent
    if wrong := syntax.network_name(inventory.network.name):
        problems.add("network.name", wrong)
    token = resolve_chain.token(inventory.token, problems)
    rule = resolve_chain.stake(inventory.stake, token, problems)
    boot, contracts, contract_notes = resolve_contracts.contracts(inventory.contracts, folder, problems)
    features, accounts = _system(inventory.system, problems)
    hosts = resolve_hosts.hosts(inventory.hosts, inventory.ssh, inventory.nodeos.path, folder, problems)
    planned = resolve_accounts.producers(inventory.producers, inventory.parties.wait_for, token, problems)
    later = resolve_accounts.later(inventory.producers, planned, problems)
    shared = inventory.nodeos.options
    nodes = placement.place(
        inventory.nodes, inventory.producers, (*planned, *later), hosts, shared, problems, remembered,
        inventory.nodeos.snapshot,
    )  # fmt: skip
    if inventory.nodeos.prometheus:
        nodes = with_prometheus(nodes, hosts, problems)
    genesis_host = next((node.host for node in nodes if node.role is Role.GENESIS), hosts[0].name)
    local = next(host.local for host in hosts if host.name == genesis_host)
    users = resolve_accounts.users(inventory.users, token, rule, source, local, problems)
    minimum = planned[0].minimum if planned else token.units("1000")
    parties = resolve_parties.parties(inventory.parties, token, rule, minimum, hosts, problems)
    resolve_parties.overlaps(parties, (*planned, *later), problems)
    resolve_parties.cannot_stop_it(parties, planned, problems)
    resolve_parties.reachable(parties, nodes, problems)
    kind = _kind(inventory.topology, len(nodes), problems)
    retired = {name for name, placed in remembered.items() if placed.retired}
    listen, advertise = resolve_hosts.coordinator(inventory.coordinator, hosts, problems)
    return Network(
        name=inventory.network.name,
        source=source,
        symbol=token.symbol,
        max_supply=token.max_supply,
        issue=token.issue,
        genesis=resolve_chain.genesis(inventory.genesis, problems),
        boot_contract=boot,
        contracts=contracts,
        contract_notes=contract_notes,
        features=features,
        system_accounts=accounts,
        hosts=hosts,
        nodes=_linked(nodes, inventory.topology, kind, problems, retired),
        topology=kind,
        stake=rule,
        users=users,
        producers=placement.with_nodes(planned, nodes),
        votes=resolve_accounts.votes(inventory.votes, users, planned, problems),
        listen=listen,
        advertise=advertise,
        parties=parties,
        later=placement.with_nodes(later, nodes),
    )


def _system(table: SystemTable, problems: Problems) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The features and system accounts that the inventory names itself."""
    for index, account in enumerate(table.accounts):
        if wrong := syntax.system_account(account):
            problems.add(f"system.accounts[{index}]", wrong)
    features = table.features
    for index, name in enumerate(features or ()):
        if len(name) == DIGEST_DIGITS and set(name.lower()) <= set(hexdigits):
            known = next((other for other, digest in DIGESTS.items() if digest == name.lower()), None)
            hint = f"write {known}" if known else "write the feature's name"
            problems.add(f"system.features[{index}]", "is a digest, but features are listed by name here", hint)
    if features is not None and not {PREACTIVATE_FEATURE, DIGESTS[PREACTIVATE_FEATURE]} & set(features):
        problems.add("system.features", f"lacks {PREACTIVATE_FEATURE}", "nothing can be activated without it")
    return features, tuple(dict.fromkeys(table.accounts))


def _kind(table: TopologyTable, nodes: int, problems: Problems) -> Topology:
    default = Topology.MESH if nodes <= topology.MESH_LIMIT else Topology.RANDOM
    if table.edges and table.kind is None:
        default = Topology.CUSTOM
    try:
        kind = Topology(table.kind) if table.kind is not None else default
    except ValueError:
        problems.add("topology.kind", f"{table.kind!r} is not one of {', '.join(Topology)}")
        return default
    if table.edges and kind is not Topology.CUSTOM:
        problems.add("topology.edges", f"is for a custom topology, and this one is {kind}", "remove one of the two")
    if table.degree < 2:
        problems.add(
            "topology.degree", f"{table.degree} is less than 2", "from 2 on, losing one node does not split the others"
        )
    return kind


def _linked(
    nodes: tuple[Node, ...], table: TopologyTable, kind: Topology, problems: Problems, retired: Collection[str]
) -> tuple[Node, ...]:
    """The nodes with their peers. retired: nodes that the file may still name."""
    names = [node.name for node in nodes]
    edges = []
    for index, (first, second) in enumerate(table.edges):
        if first in retired or second in retired:
            continue
        unknown = [name for name in (first, second) if name not in names]
        for name in unknown:
            problems.add(f"topology.edges[{index}]", f"there is no node {name!r}", f"known: {', '.join(names)}")
        if first == second:
            problems.add(f"topology.edges[{index}]", f"{first} is linked to itself", "remove it")
        if not unknown:
            edges.append((first, second))
    graph = topology.build(kind, list(dict.fromkeys(names)), table.degree, table.seed, edges)
    parts = topology.components(graph)
    if len(parts) > 1:
        apart = " | ".join(", ".join(sorted(part)) for part in sorted(parts, key=min))
        problems.add("topology.edges", f"the nodes are not all connected: {apart}", "add edges between these parts")
    return tuple(replace(node, peers=graph[node.name]) for node in nodes)
