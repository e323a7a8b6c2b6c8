"""What `coord node` and `coord host` have in common: the operation is done here, or by the coord that runs."""

from __future__ import annotations

import asyncio
import json
import sys

import click

from coordinator.agents.records import BusyError
from coordinator.cli.options import Settings
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.report.progress import PlainReporter
from coordinator.state.control import ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.operating import Operation, operate
from coordinator.workflows.session import DIAL_SECONDS, open_network
from inventory.network import Network

SECONDS = 900.0
"""For a running coordinator to do it: a producer's turn may be long in coming."""


def run(settings: Settings, network: Network, operation: Operation, as_json: bool) -> None:
    """Does it, and prints what there is to say."""
    operation.check(network)
    if not StateFolder.exists(settings.state, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: coord boot {network.argument}")
    said = asyncio.run(_run(settings, network, operation))
    document = {"action": str(operation.action), "name": operation.name, "said": said}
    click.echo(json.dumps(document, indent=2) if as_json else said)


async def _run(settings: Settings, network: Network, operation: Operation) -> str:
    try:
        async with open_network(network, settings.state, acting=True) as opened:
            reporter = PlainReporter(sys.stderr)
            with Hosts(opened.network, opened.state, opened.hub, reporter).reached():
                enrolled = [entry.name for entry in opened.hub.register.entries() if not entry.revoked]
                parties = {party.name for party in opened.parties.parties()}
                await opened.connected([name for name in enrolled if name not in parties], DIAL_SECONDS)
                return await operate(opened, operation, reporter)
    except BusyError:
        answer = await ask_running(
            settings.state.absolute() / network.name, "operate", SECONDS,
            action=str(operation.action), name=operation.name, force=operation.force,
        )  # fmt: skip
        return str(answer["said"])
