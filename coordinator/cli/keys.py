"""`coord keys`."""

from __future__ import annotations

import json

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.report.tables import columns
from coordinator.workflows.using import AccountKeys, keys
from inventory.network import Network


@click.command("keys")
@inventory_argument
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option("--private", is_flag=True, help="Also print the private keys. Whoever sees them has the accounts.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, accounts: tuple[str, ...], private: bool, as_json: bool) -> None:
    """Shows the public keys of accounts, or of all whose keys are on this machine. Keys on other hosts stay there.

    \b
    coord keys inventory/devnet.toml defproducera useraaaaaaaa
    coord keys inventory/devnet.toml useraaaaaaaa --private --json | jq -r '.[0].private'
    """
    found = keys(network, settings.state, accounts)
    if as_json:
        click.echo(json.dumps([_document(one, private) for one in found], indent=2))
        return
    heading = ("ACCOUNT", "HOST", "PUBLIC KEY", *(["PRIVATE KEY"] if private else []))
    rows = [(one.account, one.host, one.public, *([one.private or "in a keosd"] if private else [])) for one in found]
    for line in columns(heading, rows):
        click.echo(line)


def _document(one: AccountKeys, private: bool) -> dict[str, str | None]:
    document: dict[str, str | None] = {"account": one.account, "host": one.host, "public": one.public}
    return document | ({"private": one.private} if private else {})
