"""`coord report`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from coordinator.cli.options import Settings, inventory_argument
from coordinator.errors import OperationFailed
from coordinator.workflows.watching.reporting import report, write
from inventory.network import Network


@click.command("report")
@inventory_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.html",
    help="The HTML file; the JSON file is written next to it. Default: NETWORK-report.html, here.",
)  # fmt: skip
@click.pass_obj
def command(settings: Settings, network: Network, output: Path | None) -> None:
    """Writes the report of a launch: who booted what, every step with its transactions and times, and the audit.

    The HTML file is complete in itself, can be printed, and carries the sealed network: everybody who has it can repeat
    the audit with `coord audit`, on any node of the chain. The same is written as JSON. Nothing in it is secret.

    \b
    coord report inventory/devnet.toml
    """
    html = output or Path(f"{network.name}-report.html")
    document = html.with_suffix(".json")
    if html == document:
        raise click.UsageError("--output names the HTML file, which does not end in .json")
    found = asyncio.run(report(network, settings.state))
    try:
        write(found, html, document)
    except OSError as error:
        raise OperationFailed(f"{html}: {error.strerror}") from error
    click.echo(f"written: {html} and {document}")
