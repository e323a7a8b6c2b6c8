"""Ports of loopback for the nodes of tests."""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

FIRST = 20000
"""Below those that the kernel hands out by itself."""
EACH = 400
RANGES = 30


def free_port() -> int:
    """A port that nothing listens on, and that was given to nobody for as long as there are others.

    Processes take from ranges of their own, also those of two test runs: between asking for a port and listening on it
    there is time.
    """
    for port in itertools.islice(_ports(), EACH):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError(f"something listens on each of {EACH} ports")


@functools.cache
def _ports() -> Iterator[int]:
    first = _range()
    return itertools.cycle(range(first, first + EACH))


def _range() -> int:
    """The first port of a range that this process has to itself until it ends: it holds the lock of it so long."""
    folder = Path(tempfile.gettempdir()) / f"bootcoord-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for number in range(RANGES):
        lock = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return FIRST + number * EACH
    raise AssertionError(f"{RANGES} test processes hold ports already")
