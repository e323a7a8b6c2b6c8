"""`coord wait`."""

from __future__ import annotations

import asyncio
import json
import time

import click

from coordinator.cli.options import Amount, Settings, inventory_argument, json_option
from coordinator.workflows.waiting import PHASES, wait
from inventory.network import Network

SECONDS = 600.0


@click.command("wait")
@inventory_argument
@click.option("--phase", type=click.Choice(list(PHASES)), help="[default: live, unless a block is waited for]")
@click.option("--block", type=click.IntRange(1), metavar="N", help="The head is block N or later.")
@click.option("--lib", type=click.IntRange(1), metavar="N", help="Block N is irreversible.")
@click.option("--seconds", type=Amount(), default=SECONDS, show_default=True, help="How long to wait.")
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, phase: str | None, block: int | None, lib: int | None, seconds: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Waits until all that is asked for is true, says on stderr what is missing, and ends with status 1 if it does not
    come in time. Changes nothing.

    \b
    coord wait inventory/devnet.toml && ./deploy-my-contract
    coord wait inventory/devnet.toml --lib 500 --seconds 60
    """
    if phase is None and block is None and lib is None:
        phase = "live"
    began = time.monotonic()
    document, left = asyncio.run(
        wait(network, settings.state, phase, block, lib, seconds, lambda line: click.echo(line, err=True))
    )
    if as_json:
        facts = {name: document.get(name) for name in ("network", "phase", "head_block", "lib")}
        click.echo(json.dumps({"reached": not left, "missing": left, **facts, "seconds": time.monotonic() - began}))
    elif left:
        click.echo(f"coord: waited {seconds:g} s for {network.name}: {'; '.join(left)}", err=True)
    else:
        click.echo(f"{network.name}: {document['phase']}, head {document['head_block']}, LIB {document['lib']}")
    return 1 if left else 0
