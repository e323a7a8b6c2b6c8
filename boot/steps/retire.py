"""The genesis node stops signing and becomes the audit's node, which reads irreversible state."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import governed
from boot.step import NodeMode, NodeStep, Reads, Verdict
from boot.steps.genesis import nodes


def condition(blueprint: Blueprint) -> Reads:
    """The elected producers sign, so that the chain does not need eosio's node."""
    if (yield from governed()):
        return Verdict((), "the elected producers sign the blocks")
    return Verdict(("handover",), "the last irreversible block is still eosio's: its node must go on signing")


STEP = NodeStep("retire", "turn the genesis node into the audit's", ("resign",), nodes, NodeMode.AUDIT, condition)
