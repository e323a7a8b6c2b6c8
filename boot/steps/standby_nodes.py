"""Starts the nodes that the vote did not need: after it, if all share a machine (boot.steps.steps_of)."""

from __future__ import annotations

from boot.step import NodeMode, NodeStep
from boot.steps.producer_nodes import nodes

STEP = NodeStep("standby-nodes", "start the nodes that the vote did not need", ("votes",), nodes, NodeMode.NORMAL)
