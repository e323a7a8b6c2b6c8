"""While a coordinator acts: parties are helped to join, agents told the producers' endpoints, other terminals
answered."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from coordinator.engine.reasons import Reasons
from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.upgrades import from_request, upgrade
from coordinator.workflows.answering import answering
from coordinator.workflows.endpoints import tell_producers
from coordinator.workflows.why import why
from support.tasks import beside


@asynccontextmanager
async def serving(
    opened: OpenNetwork, tell: Callable[[str], None], reasons: Reasons | None = None
) -> AsyncIterator[None]:
    """Does that while the block runs.

    tell: receives lines about parties. reasons: what the steps of a boot wait for.
    """

    async def replace(request: dict[str, Any]) -> dict[str, Any]:
        contract = from_request(request, opened.state.artifacts.get)
        return {"said": await upgrade(opened, contract, float(request["wait"]), tell)}

    async def explain(request: dict[str, Any]) -> dict[str, Any]:
        return {"said": why(str(request["step"]), reasons or Reasons(), opened.state.steps())}

    parties, producers = Onboarding(opened, tell).run(), tell_producers(opened)
    async with beside(parties), beside(producers), answering(opened, {"upgrade": replace, "why": explain}):
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
