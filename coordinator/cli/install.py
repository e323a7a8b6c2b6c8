"""`coord install`."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from coordinator.cli import completion
from coordinator.cli.options import Proof, Settings, proved_inventory_argument
from coordinator.errors import UsageProblem
from coordinator.hosts.fleet import Hosts
from coordinator.report.progress import reporter
from coordinator.workflows.opening.session import open_network
from inventory.network import Network


@click.command("install")
@proved_inventory_argument(Proof.UNSEALED)
@click.option("--only", metavar="HOST", shell_complete=completion.hosts, help="Install on this host only.")
@click.pass_obj
def command(settings: Settings, network: Network, only: str | None) -> int:
    """Installs agent, nodeos and systemd unit on the hosts over SSH. `coord boot` does this as well.

    Running it again sends only what a host lacks. A newer version replaces the agent; its nodes keep running.

    \b
    coord install inventory/testnet.toml
    """
    if only and only not in {host.name for host in network.hosts}:
        raise UsageProblem(f"{network.source}: there is no host {only!r}")
    failed = asyncio.run(_install(settings, network, only))
    return 1 if failed else 0


async def _install(settings: Settings, network: Network, only: str | None) -> bool:
    async with open_network(network, settings.state, acting=True, aside="install") as opened:
        without = frozenset(host.name for host in network.hosts if only and host.name != only)
        progress = reporter(Console(highlight=False, soft_wrap=True))
        try:
            return bool(await Hosts(opened.network, opened.state, opened.hub, progress).install(without))
        finally:
            progress.close()
