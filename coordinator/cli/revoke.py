"""`coord revoke`."""

from __future__ import annotations

import click

from coordinator.advising import typed
from coordinator.cli.options import Settings, inventory_argument
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.parties.invitations import revoke
from coordinator.state.folder import StateFolder
from inventory.network import Network


@click.command("revoke")
@inventory_argument
@click.argument("name")
@click.pass_obj
def command(settings: Settings, network: Network, name: str) -> None:
    """Ends a party's access for good, within a second even on open connections, and voids its unused tokens.

    Its node stays on the p2p network and its account on the chain: the coordinator cannot remove those.

    \b
    coord revoke inventory/devnet.toml alice
    """
    if not StateFolder.exists(settings.state, network.name):
        raise OperationFailed(f"{network.name}: nobody was invited yet")
    if name in {host.name for host in network.hosts}:
        raise UsageProblem(
            f"{name} is a host of {network.source}: run {typed('down', '--only', name)}, then remove it from that file"
        )
    state = StateFolder(settings.state, network.name)
    try:
        done = revoke(state.journal, name)
    finally:
        state.close()
    if not done:
        raise OperationFailed(f"{name} is not a party of {network.name} and was not invited; see {typed('parties')}")
    click.echo(f"{name}: {done}")
