"""Estimates how long a node takes to start: from its peers' blocks, or from a snapshot. Pure.

Measured on 2 cores with 163,930 accounts (docs/snapshots.md): from blocks, a single node took 15 s, and each of 21
nodes 11 s; from a snapshot, 1.4 s.
"""

from __future__ import annotations

SYNC, SYNC_A_ROW, SYNC_A_BLOCK = 1.0, 67e-6, 0.4e-3
BEGIN, BEGIN_A_ROW = 1.0, 3e-6
TAKE, TAKE_A_ROW = 1.0, 10e-6
BYTES_A_SECOND = 20e6
"""The rate at which a snapshot is fetched from far away."""
SIZE, SIZE_A_ROW = 2.2e6, 750
"""Estimated bytes of a snapshot."""
WORTH, TIMES = 5.0, 1.5
"""A snapshot must save this many seconds, and be this many times quicker."""


def sync_seconds(rows: int, blocks: int) -> float:
    """Seconds for a node to sync its peers' blocks. rows: accounts of the allocation. blocks: of the chain."""
    return SYNC + SYNC_A_ROW * rows + SYNC_A_BLOCK * blocks


def begin_seconds(rows: int) -> float:
    """Seconds for a node to start from a snapshot at hand."""
    return BEGIN + BEGIN_A_ROW * rows


def take_seconds(rows: int) -> float:
    """Seconds to take a snapshot."""
    return TAKE + TAKE_A_ROW * rows


def fetch_seconds(size: float) -> float:
    """Seconds to fetch a snapshot of this many bytes from far away."""
    return size / BYTES_A_SECOND


def size_of(rows: int) -> float:
    """Bytes that a snapshot has."""
    return SIZE + SIZE_A_ROW * rows


def quicker(sync: float, snapshot: float) -> bool:
    """Whether a snapshot is worth it."""
    return sync >= max(snapshot + WORTH, snapshot * TIMES)
