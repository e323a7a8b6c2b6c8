"""`coord producer`."""

from __future__ import annotations

from collections.abc import Callable

import click

from coordinator.cli import completion, operate
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.errors import UsageProblem
from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.changing.growing import Draft, drafted, unretired
from coordinator.workflows.changing.operating import Operation, ProducerAction
from coordinator.workflows.changing.producers import check_addable, planned
from inventory.network import Network


@click.command("producer")
@inventory_argument
@click.argument("action", type=click.Choice([str(action) for action in ProducerAction]))
@click.argument("account")
@click.option("--host", shell_complete=completion.hosts, help="add: the host of its node. [default: by the rule]")
@click.option(
    "--standby", is_flag=True, help="add: the voters do not vote for it until it takes the place of a retired producer."
)
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, action: str, account: str, host: str | None, standby: bool, as_json: bool
) -> None:
    """Adds a producer of your own to a live network, or retires one.

    add: writes [[producers.later]] into the inventory, unless the account is there, and does what `coord boot` would
    then do: the host's agent makes the keys, the sponsor (parties.sponsor) creates the account, the node starts and
    catches up, the producer registers, and the inventory's voters vote for it as well. It is in the schedule once it is
    among the 21 with the most votes; if others hold the stake, they decide.

    retire: unregisters the producer, waits until it is irreversibly out of every schedule, and stops its node. Its data
    and keys stay on the host, and `add` brings it back. The system contract never shrinks a schedule: if too few other
    producers are left, a standby of yours takes the place. Without a standby the command refuses.

    \b
    coord producer inventory/testnet.toml add defproducerx --host h3
    coord producer inventory/testnet.toml add defproducery --standby
    coord producer inventory/testnet.toml retire defproducerb
    """
    wanted, begin = ProducerAction(action), None
    if (host is not None or standby) and wanted is not ProducerAction.ADD:
        raise UsageProblem("--host and --standby are for add")
    if wanted is ProducerAction.ADD:
        found = planned(network, account)
        if found is None:
            draft = drafted(network, account, host, settings.placements(network.name), standby=standby)
            network, begin = draft.network, _writes(draft, account)
        elif host is not None and found.node and network.node(found.node).host != host:
            raise UsageProblem(f"{account} is on {network.node(found.node).host} already, not on {host}")
        elif found.node is None:
            network = unretired(network, account, settings.state)
    operate.run(settings, network, Operation(wanted, account), as_json, begin)


def _writes(draft: Draft, account: str) -> Callable[[OpenNetwork], None]:
    """Writes the inventory once it is known that the producer can be added."""

    def begin(opened: OpenNetwork) -> None:
        check_addable(opened, account)
        draft.write()
        click.echo(f"{draft.network.source}: [[producers.later]] {account} is written", err=True)

    return begin
