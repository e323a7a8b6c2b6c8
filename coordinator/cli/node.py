"""`coord node`."""

from __future__ import annotations

import click

from coordinator.cli import completion, operate
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.workflows.changing.operating import NodeAction, Operation
from inventory.network import Network


@click.command("node")
@proved_inventory_argument(Proof.NONE)
@click.argument("action", type=click.Choice([str(action) for action in NodeAction]))
@click.argument("node", shell_complete=completion.nodes)
@click.option("--force", is_flag=True, help="Do it even if the schedule cannot lose the producer.")
@click.option("--to", default="", metavar="HOST", shell_complete=completion.hosts, help="move: the node's new host.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, action: str, node: str, force: bool, to: str, as_json: bool) -> None:
    """Restarts, starts or stops a node, or has a producer's node pause or resume making blocks.

    A producer is restarted right after its own turn. One that the schedule cannot lose is neither stopped nor paused,
    unless --force says so. A stopped node stays stopped until it is started, or until the next `coord boot`.

    move: a producer signs on another host of the inventory. Keys never move: that host makes a new block-signing key,
    its node catches up, and regproducer is pushed. The earlier node signs until the active schedule has the new key;
    then it is stopped and its key removed. A node that signs nothing is stopped, and begins anew on the other host.
    If the command was interrupted, run it again to continue.

    \b
    coord node inventory/testnet.toml restart defproducerb
    coord node inventory/testnet.toml pause defproducerb
    coord node inventory/testnet.toml move defproducerb --to h4
    """
    operate.run(settings, network, Operation(NodeAction(action), node, force, to), as_json)
