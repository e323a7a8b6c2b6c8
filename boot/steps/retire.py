"""The genesis node stops signing and becomes the audit's node, which reads irreversible state."""

from __future__ import annotations

from boot.step import NodeMode, NodeStep
from boot.steps.genesis import nodes

STEP = NodeStep("retire", "turn the genesis node into the audit's", ("resign",), nodes, NodeMode.AUDIT)
