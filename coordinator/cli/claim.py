"""`coord claim`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.report.progress import PlainReporter
from coordinator.workflows.using.claiming import claim_rewards, lines
from inventory.network import Network


@click.command("claim")
@inventory_argument
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> None:
    """Claims the rewards of the operator's producers that are due, by the chain's own clock.

    The contract pays a producer at most once in 24 hours, and not before 24 hours after its registration. If no
    producer is due, the command says when the next one will be. A party's agent claims for itself.

    \b
    coord claim inventory/devnet.toml
    """
    document = asyncio.run(claim_rewards(network, settings.state, PlainReporter(sys.stderr)))
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in lines(document, datetime.now(UTC)):
        click.echo(line)
