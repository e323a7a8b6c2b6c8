"""Nodes that run, and do not have the newest blocks yet: a boot waits for them, and says so if it takes long."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from antelope.elections import BLOCKS_PER_TURN
from coordinator.engine.access import NodeAccess
from coordinator.reporter import Reporter
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import DeadlineError, poll

BEHIND_BLOCKS = 2 * BLOCKS_PER_TURN
"""Blocks that a node may be behind and still count as following: reports are up to two seconds old, longer on a busy
machine."""
WAIT_SECONDS = 120.0
STUCK_SECONDS = 20.0
"""A node that gets no block for so long is no longer waited for: something is wrong with it or with its peers."""
TELL_SECONDS = 5.0

Behind = dict[str, tuple[int, int]]
"""By node: its block, and the one that it should have."""


def behind(statuses: Iterable[pb.NodeStatus]) -> Behind:
    """The nodes that still sync, of those that run. A node that shows irreversible blocks only is compared with LIB."""
    running = [status for status in statuses if status.state == NodeState.RUNNING]
    head = max((status.head for status in running), default=0)
    lib = max((status.lib for status in running), default=0)
    wanted = {status.name: lib if status.mode == pb.MODE_AUDIT else head for status in running}
    late = [status for status in running if status.head + BEHIND_BLOCKS < wanted[status.name]]
    return {status.name: (status.head, wanted[status.name]) for status in late}


def syncing_lines(late: Behind) -> tuple[str, ...]:
    """One line for each."""
    return tuple(f"{name} is still syncing: block {head:,} of {top:,}" for name, (head, top) in sorted(late.items()))


async def catch_up(access: NodeAccess, reporter: Reporter) -> None:
    """Waits until the operator's nodes have the newest blocks, and tells how far they are.

    A node that takes longer, or gets no blocks, goes on by itself, and that is told as well.
    """
    blocks: dict[str, int] = {}
    since: dict[str, float] = {}
    told = time.monotonic()
    late: Behind = {}

    async def nobody() -> bool:
        nonlocal told, late
        now = time.monotonic()
        late = behind(_statuses(access))
        for name, (head, _) in late.items():
            if head > blocks.get(name, -1):
                blocks[name], since[name] = head, now
        if late and now - told >= TELL_SECONDS:
            told = now
            for line in syncing_lines(late):
                reporter.note(line)
        return all(now - since[name] >= STUCK_SECONDS for name in late)

    with suppress(DeadlineError):
        await poll(nobody, what="nodes to have the newest blocks", deadline=WAIT_SECONDS)
    now = time.monotonic()
    for name, line in zip(sorted(late), syncing_lines(late), strict=True):
        stuck = now - since[name] >= STUCK_SECONDS
        reporter.note(f"{line}; {f'it got none for {STUCK_SECONDS:g} s' if stuck else 'it goes on by itself'}")


def _statuses(access: NodeAccess) -> list[pb.NodeStatus]:
    own = (access.status(node) for node in access.network.nodes if not node.party)
    return [status for status in own if status is not None]
