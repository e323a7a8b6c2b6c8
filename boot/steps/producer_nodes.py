"""All other nodes start and catch up.

They need only the genesis node, but each of them executes every account's transaction as well. If many share a machine,
that slows down the bulk step (with 30 nodes no batch stayed within its CPU limit).
"""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.step import NodeMode, NodeStep
from inventory.network import Network, UserSource

FEW_NODES, FEW_ACCOUNTS = 4, 1000


def nodes(blueprint: Blueprint) -> tuple[str, ...]:
    """Every node but the genesis node."""
    return tuple(node.name for node in blueprint.nodes if node.account != "eosio")


def before_votes(network: Network) -> tuple[str, ...]:
    """The nodes that have to run before the vote: the elected producers', if these have enough links to each other and
    to the genesis node; otherwise all except the genesis node.
    """
    elected, genesis = set(network.elected), network.genesis_node.name
    peers = {node.name: node.peers for node in network.nodes}
    needed = {node.name for node in network.nodes if node.account in elected}
    reached, found = set(), [genesis]
    while found:
        name = found.pop()
        reached.add(name)
        found += [peer for peer in peers[name] if peer in needed - reached]
    chosen = needed if needed <= reached else peers.keys()
    return tuple(node.name for node in network.nodes if node.name in chosen and node.name != genesis)


def few(network: Network, names: tuple[str, ...]) -> bool:
    """Whether these nodes, and what they have to execute, leave the machine enough time for the other steps. On the
    operator's own machine the agent starts as many at the same time as there are cores.
    """
    users, local = network.users, network.host(network.genesis_node.host).local
    few_accounts = users.source is UserSource.GENERATED and users.count <= FEW_ACCOUNTS
    return few_accounts and (local or len(names) <= FEW_NODES)


STEP = NodeStep("producer-nodes", "start the other nodes", ("accounts",), nodes, NodeMode.NORMAL)
