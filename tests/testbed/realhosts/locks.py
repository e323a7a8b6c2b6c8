"""Locks between runs of this program; the kernel lets go of them when a run ends, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bridge, addresses and name spaces exist once on a machine, whatever the state folder.
MACHINE = Path("/run/testbed.lock")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path`, waiting for whoever has it. Children do not inherit it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
