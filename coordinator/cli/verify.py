"""`coord verify`."""

from __future__ import annotations

import asyncio
import json

import click

from boot.audit import Report, audit, render
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.errors import OperationFailed
from coordinator.link import RemoteNode
from coordinator.session import DIAL_SECONDS, open_session, require_sealed
from coordinator.state import State
from inventory.network import Network


@click.command("verify")
@inventory_argument
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> int:
    """Audits the whole chain against the inventory, with code of its own. Changes nothing.

    Ends with status 1 and names each difference when there is any. What it compares, and how to do the same by hand
    with cleos, is in docs/audit.md.
    """
    report = asyncio.run(_audit(settings, network))
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in render(report):
            click.echo(line)
    return 0 if report.ok else 1


async def _audit(settings: Settings, network: Network) -> Report:
    if not State.exists(settings.state, network.name):
        raise OperationFailed(f"{network.name} was never booted; type: coord boot {network.source}")
    async with open_session(network, settings.state, acting=False) as session:
        sealed = require_sealed(session)
        hosts = dict.fromkeys(node.host for node in network.nodes)
        missing = await session.connected(hosts, DIAL_SECONDS)
        if network.genesis_node.host in missing and len(missing) == len(hosts):
            raise OperationFailed(f"no agent answers; type: coord boot {network.source}")
        reader = session.desk.reader
        return await audit(RemoteNode(session.desk.link(reader.host), reader.name), session.blueprint(sealed))
