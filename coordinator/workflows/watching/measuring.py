"""Exports the state of a network for Prometheus while a command runs (`--metrics`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from antelope.errors import NodeError
from coordinator.errors import UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.gathering import gather
from support.endpoint import Endpoint
from support.tasks import beside, tolerated
from support.tls import LIFETIME

if TYPE_CHECKING:
    from support.exporter import Exporter

EVERY_SECONDS = 5.0
"""Seconds between two reads of the network: a third of Prometheus' usual interval."""


@asynccontextmanager
async def measured(opened: OpenNetwork, endpoint: Endpoint | None, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Exports while the block runs; does nothing without an endpoint. Raises UsageProblem if it cannot listen."""
    if endpoint is None:
        yield
        return
    from support.exporter import Exporter  # commands without metrics do not wait for its imports

    exporter = Exporter()
    with ExitStack() as stack:
        try:
            stack.enter_context(exporter.listening(endpoint))
        except OSError as error:
            raise UsageProblem(f"--metrics cannot listen at {endpoint}: {error.strerror or error}") from error
        async with beside(_look(opened, exporter)):
            tell(f"metrics: http://{endpoint}/metrics")
            yield


async def _look(opened: OpenNetwork, exporter: Exporter) -> None:
    """A failure here must not disturb the command that runs at the same time."""
    from coordinator.report.measures import measures

    async def look() -> None:
        exporter.show(measures(await gather(opened), _certificates(opened)))

    while True:
        await tolerated(look(), "metrics", NodeError)
        await asyncio.sleep(EVERY_SECONDS)


def _certificates(opened: OpenNetwork) -> Mapping[str, float]:
    """Each is valid for LIFETIME from its issue, which is within seconds of its first use."""
    year = LIFETIME.total_seconds()
    return {entry.name: entry.enrolled_at + year for entry in opened.hub.register.entries() if not entry.revoked}
