"""`coord env`."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.workflows.using.in_use import InUse, in_use, url
from inventory.network import Network


@click.command("env")
@inventory_argument
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> None:
    """Prints what a program needs to use the network: URLs of the nodes that take transactions, the chain's id, where
    the keys are. Lines for a shell, or JSON. No key is printed.

    \b
    eval "$(coord env inventory/devnet.toml)"; curl $COORD_URL/v1/chain/get_info
    coord env inventory/devnet.toml --json | jq -r .url
    """
    found = asyncio.run(in_use(network, settings.state))
    first = "" if found.far and not found.takers else found.url
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    for line in _lines(found, first):
        click.echo(line)


def _lines(found: InUse, first: str) -> Iterator[str]:
    values = {
        "COORD_NETWORK": found.network.name,
        "COORD_CHAIN_ID": found.chain_id,
        "COORD_URL": first,
        "COORD_URLS": " ".join(map(url, found.takers)),
        "COORD_KEYS": " ".join(map(str, found.keys)),
    }
    yield from (f"export {name}={shlex.quote(value)}" for name, value in values.items())
    for node in found.far:
        yield f"# {node.name}: {url(node)} on host {node.host}, where it can be reached from that host only"
