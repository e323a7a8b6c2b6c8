"""The background work of a running coordinator: helps parties join, tells agents the producers' endpoints, and answers
other terminals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.changing.answering import answering
from coordinator.workflows.opening.aside import Aside
from coordinator.workflows.watching.pulses import Pulses
from coordinator.workflows.watching.why import RunningBoot
from support.tasks import beside

from .endpoints import tell_producers
from .leases import tell_leases
from .requests import Requests


@asynccontextmanager
async def serving(
    opened: OpenNetwork,
    tell: Callable[[str], None],
    boot: RunningBoot | None = None,
    pulses: Pulses | None = None,
    aside: Aside | None = None,
) -> AsyncIterator[None]:
    """Does the background work while the block runs.

    tell: receives lines about parties. boot: the one that runs, if any. pulses: how the boot goes. aside: is told if
    another command wants to work instead.
    """
    requests = Requests(opened, tell, boot)
    parties, producers = Onboarding(opened, tell).run(), tell_producers(opened)
    async with (
        beside(parties),
        beside(producers),
        beside(tell_leases(opened)),
        answering(opened, (aside or Aside()).while_at_work(requests.answerers), pulses.now if pulses else None),
    ):
        yield


async def until_stopped(aside: Aside | None = None) -> bool:
    """Returns at SIGINT or SIGTERM, or when this coordinator is to step aside. Whether it is that."""
    aside = aside or Aside()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with aside.serving() as stop:
        for number in before:
            loop.add_signal_handler(number, stop.set)
        try:
            await stop.wait()
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)  # asyncio leaves the default, which ends the process at once
    return bool(aside.asked)
