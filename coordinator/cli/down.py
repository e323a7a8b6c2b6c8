"""`coord down`."""

from __future__ import annotations

import sys

import click

from coordinator.advising import typed
from coordinator.cli import completion
from coordinator.cli.options import Settings, inventory_argument
from coordinator.errors import UsageProblem
from coordinator.state.folder import StateFolder
from coordinator.workflows.down import down
from inventory.network import Network


@click.command("down")
@inventory_argument
@click.option("--purge", is_flag=True, help="Also remove their data: chain, keys, everything. Cannot be undone.")
@click.option("--only", metavar="HOST", shell_complete=completion.hosts, help="Stop this host only.")
@click.option("--yes", is_flag=True, help="Do not ask before --purge.")
@click.pass_obj
def command(settings: Settings, network: Network, purge: bool, only: str | None, yes: bool) -> int:
    """Stops nodes and agents, even if agents no longer run. Data is kept: `coord boot` brings the same chain back.

    \b
    coord down inventory/devnet.toml
    coord down inventory/devnet.toml --purge
    """
    if only and only not in {host.name for host in network.hosts}:
        raise UsageProblem(f"{network.source}: there is no host {only!r}")
    if not StateFolder.exists(settings.state, network.name) and not (purge and only):
        click.echo(f"{network.name}: nothing was ever started from here{_elsewhere(network)}")
        return 0
    if purge and not yes:
        _ask(network)
    failed = down(network, settings.state, click.echo, only=only, purge=purge)
    for host, trouble in failed.items():
        click.echo(f"{host}: {trouble}", err=True)
    return 1 if failed else 0


def _elsewhere(network: Network) -> str:
    """What to do if the state folder is lost or elsewhere."""
    if all(host.local for host in network.hosts):
        return ""
    return f" (--state); if that was lost, run: {typed('adopt')}"


def _ask(network: Network) -> None:
    """Asks for confirmation. Raises UsageProblem unless it is given."""
    try:
        if click.confirm(f"Remove the chain and every key of {network.name}? This cannot be undone"):
            return
    except click.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
        click.echo()
    raise UsageProblem("nothing was removed: confirm --purge, or pass --yes")
