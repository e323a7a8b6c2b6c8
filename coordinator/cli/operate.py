"""What `coord node` and `coord host` have in common."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

import click

from coordinator.cli.options import Settings
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.workflows.changing.acting import act
from coordinator.workflows.changing.operating import Operation
from inventory.network import Network


def run(
    settings: Settings,
    network: Network,
    operation: Operation,
    as_json: bool,
    begin: Callable[[OpenNetwork], None] | None = None,
) -> None:
    """Carries out the operation, and prints the outcome. begin: as `act`'s."""
    said = asyncio.run(act(network, settings.state, operation, PlainReporter(sys.stderr), begin))
    document = {"action": str(operation.action), "name": operation.name, "said": said}
    click.echo(json.dumps(document, indent=2) if as_json else said)
