"""`coord transfers`."""

from __future__ import annotations

import asyncio
import json
import secrets

import click
from rich.console import Console

from coordinator.cli.options import Amount, Settings, inventory_argument, json_option
from coordinator.report.progress import reporter
from coordinator.workflows.transferring import Load, lines, transfers
from inventory.network import Network

MOST = 1_000_000
FASTEST = 400.0
"""Transfers a second. nodeos on two cores takes at most 484 a second, one by one over HTTP (measured by bench/)."""
SEEDS = 1 << 32


@click.command("transfers")
@inventory_argument
@click.option("--count", type=click.IntRange(1, MOST), default=100, show_default=True, help="How many transfers.")
@click.option("--rate", type=Amount(FASTEST), default=10.0, show_default=True, help="How many a second.")
@click.option(
    "--seed", type=click.IntRange(0, SEEDS - 1),
    help="Decides who pays whom. Transfers of this seed that were made already are not made again. Default: a new one.",
)  # fmt: skip
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, count: int, rate: float, seed: int | None, as_json: bool) -> int:
    """Makes random transfers between users, and prints how soon each was in a block.

    Each moves the smallest amount (0.0001 of a symbol with four decimals) between two accounts whose keys the boot made
    or imported, each once: given the same seed again, only what is missing is made. Exit status 1 if one failed.
    Other commands, such as `coord boot` with an edited inventory, may work on the network meanwhile.

    \b
    coord transfers inventory/devnet.toml
    coord transfers inventory/devnet.toml --count 5000 --rate 100
    """
    wanted = Load(count, rate, secrets.randbelow(SEEDS) if seed is None else seed)
    progress = reporter(Console(stderr=True, highlight=False, soft_wrap=True))
    try:
        document = asyncio.run(transfers(network, settings.state, wanted, progress))
    finally:
        progress.close()
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        for line in lines(document):
            click.echo(line)
    return 1 if document["failed"] else 0
