"""All other nodes start and catch up.

They need nothing but the genesis node, but would execute every account's transaction once more each: where many share a
machine, the bulk step would be as many times slower (30 beside it: no batch got through within its CPU limit).
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
    """The nodes that have to run before the vote: the elected producers', where these have links enough among each
    other and with the genesis node; otherwise all but that one.
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
    """Whether these nodes, and what they have to execute, leave a machine enough for what happens meanwhile. On the
    operator's own the agent starts as many at the same time as it has cores.
    """
    users, local = network.users, network.host(network.genesis_node.host).local
    few_accounts = users.source is UserSource.GENERATED and users.count <= FEW_ACCOUNTS
    return few_accounts and (local or len(names) <= FEW_NODES)


STEP = NodeStep("producer-nodes", "start the other nodes", ("accounts",), nodes, NodeMode.NORMAL)
