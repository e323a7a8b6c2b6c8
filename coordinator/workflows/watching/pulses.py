"""Measures the progress of a boot every second, for its own terminal and for others that watch."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from antelope.elections import MIN_ACTIVATED_STAKE
from antelope.errors import NodeError
from boot.plan import Plan
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.pace import left
from coordinator.report.pulse import Pulse, VoteCount
from coordinator.report.tracking import AtWork
from protos.states import NodeState
from support.tasks import beside, tolerated

if TYPE_CHECKING:
    from coordinator.web.glance import Glance, GlanceReader

EVERY_SECONDS = 1.0


class Pulses:
    """Measures a boot's pulse: every second for its own terminal, and whenever another terminal asks.

    A boot that nobody watches is not measured, because each pulse costs agents and nodes a few calls.
    """

    def __init__(self, opened: OpenNetwork, plan: Plan, at_work: AtWork) -> None:
        self._opened = opened
        self._steps = tuple(step.name for step in plan.steps)
        self._at_work = at_work
        self._over = False
        self._chain: GlanceReader | None = None
        self._looking = asyncio.Lock()
        self._latest: Pulse | None = None
        self._measured = -math.inf
        """When the latest one was, in monotonic seconds."""

    def end(self) -> None:
        """The boot is over: who watches sees the network from now on."""
        self._over = True

    async def now(self) -> Pulse | None:
        """The pulse, at most a second old; None once the boot is over. A failure here must not disturb the boot."""
        async with self._looking:
            if not self._over and time.monotonic() - self._measured >= EVERY_SECONDS:
                await tolerated(self._measure(), "the boot's pulse", NodeError)
        return None if self._over else self._latest

    async def run(self, show: Callable[[Pulse], None]) -> None:
        """Shows each pulse, until the boot is over. The first one comes after a second, as a boot with nothing to do
        takes no longer.
        """
        while not self._over:
            await asyncio.sleep(EVERY_SECONDS)
            if pulse := await self.now():
                show(pulse)

    async def _measure(self) -> None:
        if self._chain is None:
            from coordinator.web.glance import GlanceReader  # a boot with nothing to do does not wait for its imports

            self._chain = GlanceReader(self._opened)
        seen = await self._chain.look()
        self._latest, self._measured = self._pulse(seen), time.monotonic()

    def _pulse(self, seen: Glance) -> Pulse:
        network, access = self._opened.network, self._opened.access
        producers = max(1, len(network.elected))
        working = self._at_work.working(producers)
        begun = {one.step for one in working} | self._at_work.over
        statuses = [status for node in network.nodes if (status := access.status(node)) is not None]
        states = Counter(str(party.state) for party in self._opened.parties.parties())
        votes = seen.votes
        return Pulse(
            ended=sum(step in self._at_work.over for step in self._steps),
            steps=len(self._steps),
            seconds=self._at_work.seconds,
            left=left(
                [step for step in self._steps if step not in begun], [(w.step, w.seconds) for w in working], producers
            ),
            producers=producers,
            working=working,
            head=max([seen.head, *(status.head for status in statuses)]),
            lib=max([seen.lib, *(status.lib for status in statuses)]),
            nodes=(sum(one.state == NodeState.RUNNING for one in statuses), len(network.nodes)),
            schedule=seen.schedule,
            next=seen.next,
            votes=VoteCount(votes.activated, MIN_ACTIVATED_STAKE, votes.threshold) if votes else None,
            parties=tuple(sorted(states.items())),
        )


@asynccontextmanager
async def pulsing(
    opened: OpenNetwork, plan: Plan, at_work: AtWork, show: Callable[[Pulse], None] | None
) -> AsyncIterator[Pulses]:
    """Measures pulses while the block runs. show: is called with each, if the boot has a terminal that shows them."""
    pulses = Pulses(opened, plan, at_work)
    if show is None:
        yield pulses
        return
    async with beside(pulses.run(show)):
        yield pulses
