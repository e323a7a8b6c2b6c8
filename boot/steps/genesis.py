"""The genesis node starts the chain: it signs as eosio, with stale production enabled."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.step import NodeMode, NodeStep


def nodes(blueprint: Blueprint) -> tuple[str, ...]:
    """The one node that signs as eosio."""
    return tuple(node.name for node in blueprint.nodes if node.account == "eosio")


STEP = NodeStep("genesis", "start the genesis node", (), nodes, NodeMode.GENESIS)
