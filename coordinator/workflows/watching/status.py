"""The status of a network, whether or not another command works on it. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from coordinator.agents.records import BusyError
from coordinator.hosts.fleet import tunnelled
from coordinator.hosts.local import agent_runs
from coordinator.report.gathering import gather, planned
from coordinator.report.shown import ShownStatus
from coordinator.report.status import NetworkStatus
from coordinator.report.watch_screen import screen_lines
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.changing.answering import answering
from coordinator.workflows.opening.session import GLANCE_SECONDS, TUNNEL_SECONDS, open_network
from inventory.network import Network
from support.identity import Kind
from support.retry import retrying

ASK_SECONDS = 5.0
"""Seconds to wait for the answer of a running command."""


async def screen(network: Network, root: Path, width: int, height: int) -> list[str]:
    """The network on one screen, from the running coordinator if there is one."""

    async def look() -> list[str]:
        try:
            status, troubles = await _seen(network, root)
        except BusyError:
            answer = await ask_running(root.absolute() / network.name, "screen", width=width, height=height)
            return [str(line) for line in answer["lines"]]
        return [*screen_lines(status, None, width, height - len(troubles)), *troubles]

    return await retrying(look, on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def report(network: Network, root: Path, width: int | None = None) -> ShownStatus:
    """One report, even while other commands start and end. width: of the terminal; None: unlimited."""
    return await retrying(lambda: _look(network, root, width), on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def _look(network: Network, root: Path, width: int | None) -> ShownStatus:
    """One report, from the running coordinator if there is one."""
    try:
        return ShownStatus.of(*await _seen(network, root), width)
    except BusyError:
        return ShownStatus.from_json(await ask_running(root.absolute() / network.name, "status", width=width))


async def _seen(network: Network, root: Path) -> tuple[NetworkStatus, tuple[str, ...]]:
    """The state, and hosts that SSH does not reach. Raises BusyError while another command works on the network."""
    if not StateFolder.exists(root, network.name):
        return planned(network), ()
    async with open_network(network, root, acting=False) as opened, answering(opened):
        entries = opened.hub.register.entries()
        hosts = [entry.name for entry in entries if entry.kind is Kind.HOST and not entry.revoked]
        dead = {host.name for host in network.hosts if host.local and not agent_runs(opened.state.host_data(host.name))}
        awaited = [name for name in hosts if name not in dead]
        through_ssh = any(host.tunnel for host in network.hosts)
        with tunnelled(opened.network, opened.hub) as troubles:
            await opened.connected(awaited, GLANCE_SECONDS + through_ssh * TUNNEL_SECONDS)
            return await gather(opened), tuple(f"{host}: {trouble}" for host, trouble in troubles.items())
