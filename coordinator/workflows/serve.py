"""The background work of a running coordinator: helps parties join, tells agents the producers' endpoints, and answers
other terminals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.answering import answering
from coordinator.workflows.endpoints import tell_producers
from coordinator.workflows.leases import tell_leases
from coordinator.workflows.pulses import Pulses
from coordinator.workflows.requests import Requests
from coordinator.workflows.why import RunningBoot
from support.tasks import beside


@asynccontextmanager
async def serving(
    opened: OpenNetwork,
    tell: Callable[[str], None],
    boot: RunningBoot | None = None,
    pulses: Pulses | None = None,
) -> AsyncIterator[None]:
    """Does the background work while the block runs.

    tell: receives lines about parties. boot: the one that runs, if any. pulses: how the boot goes.
    """
    requests = Requests(opened, tell, boot)
    parties, producers = Onboarding(opened, tell).run(), tell_producers(opened)
    async with (
        beside(parties),
        beside(producers),
        beside(tell_leases(opened)),
        answering(opened, requests.answerers, pulses),
    ):
        yield


async def until_stopped() -> None:
    """Returns at SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
