"""The status of a network, whether or not another command works on it. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from coordinator.agents.records import BusyError
from coordinator.hosts.fleet import tunnelled
from coordinator.hosts.local import agent_runs
from coordinator.report.gathering import gather, planned
from coordinator.report.shown import ShownStatus
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.answering import answering
from coordinator.workflows.session import GLANCE_SECONDS, TUNNEL_SECONDS, open_network
from inventory.network import Network
from support.retry import retrying

ASK_SECONDS = 5.0
"""Seconds to wait for the answer of a running command."""


async def report(network: Network, root: Path) -> ShownStatus:
    """One report, even while other commands start and end."""
    return await retrying(lambda: _look(network, root), on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def _look(network: Network, root: Path) -> ShownStatus:
    """One report, from the running coordinator if there is one."""
    if not StateFolder.exists(root, network.name):
        return ShownStatus.of(planned(network))
    try:
        async with open_network(network, root, acting=False) as opened, answering(opened):
            hosts = {entry.name for entry in opened.hub.register.entries()}
            dead = {
                host.name for host in network.hosts if host.local and not agent_runs(opened.state.host_data(host.name))
            }
            awaited = [host.name for host in network.hosts if host.name in hosts - dead]
            through_ssh = any(host.tunnel for host in network.hosts)
            with tunnelled(opened.network, opened.hub) as troubles:
                await opened.connected(awaited, GLANCE_SECONDS + through_ssh * TUNNEL_SECONDS)
                report = await gather(opened)
    except BusyError:
        return ShownStatus.from_json(await ask_running(root.absolute() / network.name, "status"))
    return ShownStatus.of(report, (f"{host}: {trouble}" for host, trouble in troubles.items()))
