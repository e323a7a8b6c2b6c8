"""`coord wait`."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial

import click

from coordinator.cli.options import Amount, Settings, inventory_argument, json_option
from coordinator.report.status import Phase
from coordinator.workflows.watching.waiting import PHASES, wait
from inventory.network import Network

SECONDS = 600.0


@click.command("wait")
@inventory_argument
@click.option(
    "--phase", type=click.Choice([str(phase) for phase in PHASES]),
    help="The network is that far. [default: live, unless a block is waited for]",
)  # fmt: skip
@click.option("--block", type=click.IntRange(1), metavar="N", help="The head is block N or later.")
@click.option("--lib", type=click.IntRange(1), metavar="N", help="Block N is irreversible.")
@click.option("--seconds", type=Amount(), default=SECONDS, show_default=True, help="How long to wait.")
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, phase: str | None, block: int | None, lib: int | None, seconds: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Waits until all conditions are true. Says on stderr what is missing, and ends with status 1 after --seconds.
    Changes nothing.

    \b
    coord wait inventory/devnet.toml && ./deploy-my-contract
    coord wait inventory/devnet.toml --lib 500 --seconds 60
    """
    wanted = Phase(phase) if phase else Phase.LIVE if block is None and lib is None else None
    began = time.monotonic()
    tell = partial(click.echo, err=True)
    shown, left = asyncio.run(wait(network, settings.state, wanted, block, lib, seconds, tell))
    if as_json:
        facts = {"phase": shown.phase, "head_block": shown.head, "lib": shown.lib} if shown else {}
        said = {"reached": not left, "missing": left, "network": network.name, **facts}
        click.echo(json.dumps(said | {"seconds": time.monotonic() - began}))
    elif left or not shown:
        click.echo(f"coord: waited {seconds:g} s for {network.name}: {'; '.join(left)}", err=True)
    else:
        click.echo(f"{network.name}: {shown.phase}, head {shown.head}, LIB {shown.lib}")
    return 1 if left else 0
