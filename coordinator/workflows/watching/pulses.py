"""Measures the progress of a boot every second, for its own terminal and for others that watch."""

from __future__ import annotations

import asyncio
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
    from coordinator.web.chain_reader import SeenChain

EVERY_SECONDS = 1.0


class Pulses:
    """Keeps the latest pulse, while `run` runs."""

    def __init__(self, opened: OpenNetwork, plan: Plan, at_work: AtWork, show: Callable[[Pulse], None]) -> None:
        """show: is called with each pulse."""
        self._opened = opened
        self._steps = tuple(step.name for step in plan.steps)
        self._at_work = at_work
        self._show = show
        self._over = False
        self.latest: Pulse | None = None
        """None until a boot has lasted a second, as one with nothing to do takes no longer, and once it is over."""

    def end(self) -> None:
        """The boot is over: who watches sees the network from now on."""
        self._over, self.latest = True, None

    async def run(self) -> None:
        """Runs until cancelled. A failure here must not disturb the boot."""
        await asyncio.sleep(EVERY_SECONDS)
        from coordinator.web.chain_reader import (
            PageChainReader,
        )  # a boot with nothing to do does not wait for its imports

        chain = PageChainReader(self._opened)

        async def look() -> None:
            pulse = self._pulse(await chain.look())
            if not self._over:
                self.latest = pulse
                self._show(pulse)

        while not self._over:
            await tolerated(look(), "the boot's pulse", NodeError)
            await asyncio.sleep(EVERY_SECONDS)

    def _pulse(self, seen: SeenChain) -> Pulse:
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
            head=max([seen.view.head, *(status.head for status in statuses)]),
            lib=max([seen.view.lib, *(status.lib for status in statuses)]),
            nodes=(sum(one.state == NodeState.RUNNING for one in statuses), len(network.nodes)),
            schedule=seen.view.schedule,
            next=seen.next,
            votes=VoteCount(votes.activated, MIN_ACTIVATED_STAKE, votes.threshold) if votes else None,
            parties=tuple(sorted(states.items())),
        )


@asynccontextmanager
async def pulsing(
    opened: OpenNetwork, plan: Plan, at_work: AtWork, show: Callable[[Pulse], None]
) -> AsyncIterator[Pulses]:
    """Measures pulses while the block runs."""
    pulses = Pulses(opened, plan, at_work, show)
    async with beside(pulses.run()):
        yield pulses
