"""`coord cleos`."""

from __future__ import annotations

import asyncio

import click

from coordinator.cli.options import Settings, inventory_argument
from coordinator.workflows.using.cleos import program, run, wallet_url
from coordinator.workflows.using.in_use import in_use
from inventory.network import Network


@click.command("cleos", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@inventory_argument
@click.argument("arguments", metavar="-- ARGS...", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(settings: Settings, network: Network, arguments: tuple[str, ...]) -> int:
    """Runs cleos with a node that takes transactions, and with the wallet of `agent wallet` if its keosd runs.

    It runs the cleos next to the inventory's nodeos, or the bundled one. The exit status is that of cleos.

    \b
    coord cleos inventory/devnet.toml -- get info
    coord cleos inventory/devnet.toml -- transfer useraaaaaaaa useraaaaaaab "1.0000 SYS" hello
    """
    found = asyncio.run(in_use(network, settings.state))
    words, bundled = program(network, lambda line: click.echo(line, err=True))
    wallet = wallet_url(network)
    words += ("-u", found.url, *(("--wallet-url", wallet) if wallet else ()))
    typed = arguments[1:] if arguments[:1] == ("--",) else arguments
    done = run([*words, *typed], bundled)
    if done.status and done.lacks_keosd:
        click.echo(
            f"coord: no keosd with a wallet of {network.name} runs; docs/devnet.md says how to start one", err=True
        )
    return done.status
