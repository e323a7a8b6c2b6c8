"""A node's states, as they stand in a NodeStatus of coordination.proto."""

from __future__ import annotations

from enum import StrEnum

UNTOUCHED = "it runs on as before"
"""What an agent says of a running node that it does not restart, because it could not start again."""


class NodeState(StrEnum):
    """A node's state. Another version of the peer may send a value that is not here."""

    STOPPED = "stopped"
    STARTING = "starting"
    """Includes a node that died and is about to be restarted."""
    RUNNING = "running"
    FAILED = "failed"
