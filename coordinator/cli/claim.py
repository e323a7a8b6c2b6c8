"""`coord claim`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.report.progress import PlainReporter
from coordinator.workflows.claiming import claim_rewards, lines
from inventory.network import Network


@click.command("claim")
@inventory_argument
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> None:
    """Has the operator's producers claim their rewards: those that may, by the chain's own clock.

    The contract pays a producer once within 24 hours, the first time 24 hours after it registered. Who may not yet is
    left alone, and the next date is told. A party's agent claims for itself.

    \b
    coord claim inventory/devnet.toml
    """
    document = asyncio.run(claim_rewards(network, settings.state, PlainReporter(sys.stderr)))
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in lines(document, datetime.now(UTC)):
        click.echo(line)
