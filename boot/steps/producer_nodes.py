"""All other nodes start and follow the chain, while the boot goes on: they need nothing but the genesis node."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.step import NodeMode, NodeStep


def nodes(blueprint: Blueprint) -> tuple[str, ...]:
    """Every node but the genesis node."""
    return tuple(node.name for node in blueprint.nodes if node.account != "eosio")


STEP = NodeStep("producer-nodes", "start the other nodes", ("genesis",), nodes, NodeMode.NORMAL)
