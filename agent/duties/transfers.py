"""Random transfers between users whose keys are on this host: to try a network out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from agent.duties.holding import Holding
from agent.duties.tools import Tools, taking_node
from agent.errors import DutyError
from agent.pushes.blocks import BlockFollower
from agent.pushes.pusher import Pusher
from agent.pushes.pushing import Chore, Pushing
from agent.pushes.records import PushRecords
from agent.reports import Pushed, ReportProgress, progress
from boot.blueprint import Blueprint
from boot.transfers import slices, transfer
from protos import coordination_pb2 as pb
from support.tasks import end

MOST_SECONDS = 30.0
"""Maximum seconds of one task, so that it ends soon after the command that asked for it."""
FASTEST = 1000.0
"""Transfers a second."""
TRANSFERS = Chore("transfers", parallel=True)


class Transfers:
    """The transfers of one host, on its own node."""

    def __init__(self, tools: Tools, holding: Holding) -> None:
        self._tools = tools
        self._holding = holding
        self._users: tuple[str, ...] = ()
        self._under_way: set[str] = set()
        """Keys of the transfers that some task makes now."""
        self._ended = asyncio.Condition()

    async def transfer(self, wanted: pb.Transfer, report: ReportProgress) -> None:
        """Makes these transfers, each once, spread over time. Raises DutyError, and the first PushError at the end."""
        if not 0 < wanted.per_second <= FASTEST or not 0 < wanted.count <= MOST_SECONDS * wanted.per_second + 1:
            raise DutyError(f"refused: {MOST_SECONDS:g} s of transfers at once, not {wanted.count}")
        blueprint = self._holding.held()
        users = await self._among(blueprint)
        pushing = Pushing(PushRecords(self._tools.journal, blueprint.sealed.chain_id), self._tools.keys.key)
        node = await taking_node(self._tools.nodes)
        done = 0

        def pushed(fresh: Sequence[Pushed]) -> None:
            nonlocal done
            done += len(fresh)
            report(progress(fresh, done, wanted.count))

        async def send(follower: BlockFollower, numbers: range) -> None:
            pushes = [transfer(users, wanted.seed, number, blueprint.symbol) for number in numbers]
            async with self._alone({push.key for push in pushes}):
                await Pusher(node, follower, pushing.records, pushing.key_of, pushed).run(TRANSFERS, pushes)

        async with pushing.following(node, TRANSFERS) as follower:
            began, sending = time.monotonic(), []
            try:
                for due, numbers in slices(range(wanted.first, wanted.first + wanted.count), wanted.per_second):
                    await asyncio.sleep(max(began + due - time.monotonic(), 0.0))
                    sending.append(asyncio.create_task(send(follower, numbers)))
                await asyncio.wait(sending)
            finally:
                await end(*sending)
        for task in sending:
            task.result()

    @asynccontextmanager
    async def _alone(self, keys: set[str]) -> AsyncIterator[None]:
        """Waits until no other task makes one of these transfers: two at the same moment would sign it twice."""
        async with self._ended:
            await self._ended.wait_for(lambda: keys.isdisjoint(self._under_way))
            self._under_way |= keys
        try:
            yield
        finally:
            self._under_way -= keys
            async with self._ended:
                self._ended.notify_all()

    async def _among(self, blueprint: Blueprint) -> tuple[str, ...]:
        """The accounts of the allocation whose keys are here."""
        if not self._users:
            self._users = await asyncio.to_thread(_users, blueprint, self._tools.keys.users)
        if len(self._users) < 2:
            raise DutyError("this host has the keys of fewer than two accounts of the allocation: it cannot transfer")
        return self._users


def _users(blueprint: Blueprint, here: tuple[str, ...]) -> tuple[str, ...]:
    allocated = {blueprint.rows.account(number) for number in range(len(blueprint.rows))}
    others = {blueprint.sealed.sponsor.account} if blueprint.sealed.sponsor else set()
    return tuple(name for name in here if name in allocated - others - {*blueprint.sealed.proxies})
