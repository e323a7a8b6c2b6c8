"""An agent's measured values for Prometheus (`agent serve --metrics`): its nodes, its disk, its certificate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager

from agent.daemon import Agent
from agent.errors import ConfigError
from agent.nodes.state import NodeStatus
from protos.states import NodeState
from support.endpoint import Endpoint
from support.exporter import Exporter, Gauge
from support.tasks import beside

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""Seconds between two reads: a third of Prometheus' usual interval."""


def measures(nodes: Sequence[NodeStatus], disk_free: int, connected: bool, certificate_end: float) -> Sequence[Gauge]:
    """certificate_end: in Unix seconds. connected: to a coordinator. Pure."""
    running = [node for node in nodes if node.state is NodeState.RUNNING]

    def each(name: str, text: str, value: Callable[[NodeStatus], float], of: Sequence[NodeStatus] = running) -> Gauge:
        return Gauge.each(name, text, "node", ((node.name, value(node)) for node in of))

    return (
        Gauge.of("bootcoord_agent_coordinator_connected", "1 if a coordinator is connected", float(connected)),
        Gauge.of("bootcoord_agent_disk_free_bytes", "Free space where the nodes' data lies", disk_free),
        Gauge.of(
            "bootcoord_agent_certificate_end_timestamp_seconds", "Until when the agent's certificate is valid",
            certificate_end,
        ),
        each(
            "bootcoord_agent_node_running", "1 if the node runs", lambda node: float(node.state is NodeState.RUNNING),
            nodes,
        ),
        each("bootcoord_agent_node_head_block", "Number of the latest block", lambda node: float(node.head)),
        each("bootcoord_agent_node_irreversible_block", "Number of the last irreversible block",
             lambda node: float(node.lib)),
        each("bootcoord_agent_node_peers", "Connected peers", lambda node: float(node.peers)),
    )  # fmt: skip


@asynccontextmanager
async def exported(agent: Agent, address: str) -> AsyncIterator[None]:
    """Exports an agent's values at HOST:PORT while the block runs. Raises ConfigError.

    Where the port is taken, the log says so, and it is tried again: the agent has more important things to do.
    """
    try:
        endpoint = Endpoint.parse(address)
    except ValueError as error:
        raise ConfigError(f"--metrics cannot listen at {address}: {error}") from error
    exporter = Exporter()
    with ExitStack() as stack:

        async def look() -> None:
            said = ""
            while True:
                if not agent.exports:
                    said = _listen(agent, exporter, endpoint, stack, said)
                exporter.show(measures(await agent.nodes.status(), *agent.standing()))
                await asyncio.sleep(EVERY_SECONDS)

        async with beside(look()):
            yield


def _listen(agent: Agent, exporter: Exporter, endpoint: Endpoint, stack: ExitStack, said: str) -> str:
    """Tries to listen. said: what was logged last. Returns what is logged now."""
    try:
        stack.enter_context(exporter.listening(endpoint))
    except OSError as error:
        why = error.strerror or str(error)
        if why != said:
            log.error("--metrics cannot listen at %s: %s; it is tried again", endpoint, why)
        return why
    agent.exports = str(endpoint)
    log.info("exports metrics at http://%s/metrics", endpoint)
    return ""
