"""Restarts local agents that exit while a coordinator runs: systemd does not manage them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coordinator.advising import typed
from coordinator.errors import OperationFailed
from coordinator.hosts.local import agent_runs, ensure_agent
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows.opening.session import DIAL_SECONDS
from support.json_log import about
from support.tasks import beside

LOOK = 0.5
"""Seconds between two checks of the processes."""
STARTS = 3
"""An agent that exits more often than this during one command is not restarted."""


@asynccontextmanager
async def agents_kept(opened: OpenNetwork, reporter: Reporter) -> AsyncIterator[None]:
    """Keeps local agents running while the block runs. Raises OperationFailed if one keeps exiting."""
    block = asyncio.current_task()
    failures: list[OperationFailed] = []

    async def keep() -> None:
        try:
            await _keep(opened, reporter)
        except OperationFailed as error:
            failures.append(error)
            if block:
                block.cancel()

    try:
        async with beside(keep()):
            yield
    except asyncio.CancelledError:
        if not failures:
            raise
        if block:
            block.uncancel()
        raise failures[0] from None


async def start_again(opened: OpenNetwork, host: str, reporter: Reporter) -> None:
    """Starts a local agent that ended, says so, and does not wait until it connects."""
    with about(host=host):
        reporter.note(f"the agent of {host} ended and is started again ({typed('logs', f'agent@{host}')})")
    await ensure_agent(opened.hub, host, opened.state.host_data(host), opened.network.host(host).metrics)


async def _keep(opened: OpenNetwork, reporter: Reporter) -> None:
    ends: Counter[str] = Counter()
    hosts = [host.name for host in opened.network.hosts if host.local]
    while True:
        await asyncio.sleep(LOOK)
        for host in hosts:
            data = opened.state.host_data(host)
            if agent_runs(data):
                continue
            ends[host] += 1
            if ends[host] > STARTS:
                raise OperationFailed(f"the agent of {host} keeps ending; see {typed('logs', f'agent@{host}')}")
            await start_again(opened, host, reporter)
            await opened.connected([host], DIAL_SECONDS)
