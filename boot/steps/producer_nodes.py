"""All other nodes start and catch up.

They need nothing but the genesis node, but would execute every account's transaction once more each: where many share a
machine, the bulk step would be as many times slower (30 beside it: no batch got through within its CPU limit).
"""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.step import NodeMode, NodeStep


def nodes(blueprint: Blueprint) -> tuple[str, ...]:
    """Every node but the genesis node."""
    return tuple(node.name for node in blueprint.nodes if node.account != "eosio")


STEP = NodeStep("producer-nodes", "start the other nodes", ("accounts",), nodes, NodeMode.NORMAL)
