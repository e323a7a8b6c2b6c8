"""`coord down`."""

from __future__ import annotations

import shutil

import click

from coordinator.cli.options import Settings, inventory_argument
from coordinator.local import stop_all
from coordinator.state import State
from inventory.network import Network


@click.command("down")
@inventory_argument
@click.option("--purge", is_flag=True, help="Remove their data too: chain, keys, everything. Cannot be undone.")
@click.option("--yes", is_flag=True, help="Do not ask (for --purge).")
@click.pass_obj
def command(settings: Settings, network: Network, purge: bool, yes: bool) -> None:
    """Stops nodes and agents, also when agents are dead. Their data stays: `coord boot` brings the same chain back.

    \b
    coord down inventory/devnet.toml
    coord down inventory/devnet.toml --purge
    """
    if not State.exists(settings.state, network.name):
        click.echo(f"{network.name}: nothing was ever started here")
        return
    if purge and not yes:
        click.confirm(f"Remove the chain and every key of {network.name}? This cannot be undone", abort=True)
    folder = settings.state.absolute() / network.name
    for host in network.hosts:
        if host.local:
            nodes = stop_all(folder / "hosts" / host.name)
            click.echo(f"{host.name}: " + (f"stopped {', '.join(nodes)}" if nodes else "no node ran"))
    if purge:
        shutil.rmtree(folder)
        click.echo(f"removed {folder}")
