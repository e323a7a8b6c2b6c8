"""`coord host`."""

from __future__ import annotations

import click

from coordinator.cli import completion, operate
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.workflows.operating import HostAction, Operation
from inventory.network import Network


@click.command("host")
@proved_inventory_argument(Proof.NONE)
@click.argument("action", type=click.Choice([str(action) for action in HostAction]))
@click.argument("host", shell_complete=completion.hosts)
@click.option("--force", is_flag=True, help="Drain it even if the schedule cannot lose its producers.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, action: str, host: str, force: bool, as_json: bool) -> None:
    """Drains a host for work on the machine, and ends what runs on one that left the inventory.

    drain: its producers pause; their nodes follow the chain. undrain: they make blocks again. remove: the nodes of a
    host that the inventory no longer lists are stopped, and its agent is shut out; the data stays on it.

    \b
    coord host inventory/testnet.toml drain h2
    coord host inventory/testnet.toml remove h5
    """
    operate.run(settings, network, Operation(HostAction(action), host, force), as_json)
