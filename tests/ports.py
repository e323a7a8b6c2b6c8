"""Ports of loopback for the nodes of tests."""

from __future__ import annotations

import os
import random
import socket

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Of those that run side by side."""
EACH = 1000
_taken: set[int] = set()


def free_port() -> int:
    """A port that nothing listens on and nobody was given before, below those that the kernel hands out by itself.

    Workers take from ranges of their own: between asking for a port and listening on it there is time.
    """
    first = 20000 + WORKER % 10 * EACH
    while True:
        port = random.randrange(first, first + EACH)  # noqa: S311 (no secret)
        with socket.socket() as probe:
            if port not in _taken and probe.connect_ex(("127.0.0.1", port)):
                _taken.add(port)
                return port
