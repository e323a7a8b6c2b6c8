"""Pushes the work of a step, or of a chore outside the boot's steps, to one node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.errors import PushError
from agent.pushes.blocks import BlockFollower, following
from agent.pushes.load import dialling
from agent.pushes.pusher import Pusher
from agent.pushes.records import PushRecords
from agent.pushes.signing import StepLike
from agent.reports import Pushed, ReportProgress, progress, silent
from antelope.http import NodeClient
from antelope.keys import SigningKey
from boot.step import Finality, Work

KeyOf = Callable[[str], SigningKey]
"""The key that an account signs with. Raises KeyError when the agent has none, or may not use it."""


@dataclass(frozen=True)
class Chore:
    """Transactions that belong to no step of the boot. The records have its name in place of a step's."""

    name: str
    finality: Finality = Finality.BLOCK
    parallel: bool = False


@dataclass(frozen=True)
class Pushing:
    """Pushes with the records of one chain and the keys that may sign for it."""

    records: PushRecords
    key_of: KeyOf

    async def do(
        self,
        node: NodeClient,
        step: StepLike,
        work: Sequence[Work],
        report: ReportProgress = silent,
        seen: int = 0,
        p2p: str = "",
    ) -> tuple[Pushed, ...]:
        """Does all of the work, reports each finished piece, and returns them all. seen: see Pusher. p2p: where the
        node listens for peers (HOST:PORT), used for many transactions; empty: all go over HTTP. Raises PushError, and
        what reading the node's blocks raises.
        """
        done: list[Pushed] = []

        def pushed(fresh: Sequence[Pushed]) -> None:
            done.extend(fresh)
            report(progress(fresh, len(done), len(work)))

        async with self.following(node, step) as follower:
            dial = dialling(p2p, follower) if p2p else None
            await Pusher(node, follower, self.records, self.key_of, pushed, seen, dial).run(step, work)
        return tuple(done)

    @asynccontextmanager
    async def following(self, node: NodeClient, step: StepLike) -> AsyncIterator[BlockFollower]:
        """Follows the node's blocks. Raises PushError if the node runs another chain."""
        async with following(node) as follower:
            if follower.info.chain_id != self.records.chain_id:
                raise PushError(f"{step.name}: the node runs another chain ({follower.info.chain_id[:16]}…)")
            yield follower
