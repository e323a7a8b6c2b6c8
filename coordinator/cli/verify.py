"""`coord verify`."""

from __future__ import annotations

import asyncio
import json

import click

from coordinator.cli.fit import say
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.workflows.watching.auditing import verify
from inventory.network import Network


@click.command("verify")
@inventory_argument
@click.option("--strict", is_flag=True, help="Also exit with status 1 if something differs today.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, strict: bool, as_json: bool) -> int:
    """Audits the whole chain against the inventory, with code independent of the boot's. Changes nothing.

    It answers two questions: whether the chain was born as planned, which its blocks prove for good; and what has
    changed since, as people transact and producers decide. The exit status is 1 if it was not born as planned.
    docs/audit.md says what is compared, and how to do the same by hand with cleos.

    \b
    coord verify inventory/devnet.toml
    """
    shown = asyncio.run(verify(network, settings.state))
    if as_json:
        click.echo(json.dumps(shown.document, indent=2))
    else:
        say(shown.lines)
    return 0 if shown.born and (shown.unchanged or not strict) else 1
