"""What `coord node` and `coord host` have in common."""

from __future__ import annotations

import asyncio
import json
import sys

import click

from coordinator.cli.options import Settings
from coordinator.report.progress import PlainReporter
from coordinator.workflows.acting import act
from coordinator.workflows.operating import Operation
from inventory.network import Network


def run(settings: Settings, network: Network, operation: Operation, as_json: bool) -> None:
    """Carries it out, and prints the outcome."""
    said = asyncio.run(act(network, settings.state, operation, PlainReporter(sys.stderr)))
    document = {"action": str(operation.action), "name": operation.name, "said": said}
    click.echo(json.dumps(document, indent=2) if as_json else said)
