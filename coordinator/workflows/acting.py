"""One operation on a node or host of a network that runs: done here, or by the coord that works on it."""

from __future__ import annotations

from pathlib import Path

from coordinator.agents.records import BusyError
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.reporter import Reporter
from coordinator.state.control import ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.operating import Operation, operate
from coordinator.workflows.session import DIAL_SECONDS, open_network
from inventory.network import Network

SECONDS = 900.0
"""For a running coordinator to do it: a producer's turn may be long in coming."""


async def act(network: Network, root: Path, operation: Operation, reporter: Reporter) -> str:
    """Does it. Returns what there is to say. Raises as `operate`, and OperationFailed before the first boot."""
    operation.check(network)
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: coord boot {network.argument}")
    try:
        async with open_network(network, root, acting=True) as opened:
            with Hosts(opened.network, opened.state, opened.hub, reporter).reached():
                enrolled = [entry.name for entry in opened.hub.register.entries() if not entry.revoked]
                parties = {party.name for party in opened.parties.parties()}
                await opened.connected([name for name in enrolled if name not in parties], DIAL_SECONDS)
                return await operate(opened, operation, reporter)
    except BusyError:
        answer = await ask_running(
            root.absolute() / network.name, "operate", SECONDS,
            action=str(operation.action), name=operation.name, force=operation.force,
        )  # fmt: skip
        return str(answer["said"])
