"""`coord keys`."""

from __future__ import annotations

import json

import click

from coordinator.cli import operate
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.errors import UsageProblem
from coordinator.report.tables import columns
from coordinator.workflows.changing.operating import KeyAction, Operation
from coordinator.workflows.using.in_use import AccountKeys, keys
from inventory.network import Network


@click.command("keys")
@inventory_argument
@click.argument("accounts", metavar="[ACCOUNT]... | rotate PRODUCER", nargs=-1)
@click.option(
    "--private", is_flag=True, help="Also print the private keys. Anyone who sees them controls the accounts."
)
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, accounts: tuple[str, ...], private: bool, as_json: bool) -> None:
    """Shows the public keys of accounts, or of all whose keys are on this machine. Keys on other hosts stay there.

    rotate: gives a producer another block-signing key. Its host's agent makes the key. The node is restarted with both
    keys, right after its own turn, and regproducer is pushed. Once the active schedule has the new key, irreversibly,
    the old one is removed and the node is restarted without it. That takes about two minutes with few producers and a
    quarter of an hour with 21. If it was interrupted, run it again to continue. A party changes its own key with
    `agent rotate`.

    \b
    coord keys inventory/devnet.toml defproducera useraaaaaaaa
    coord keys inventory/devnet.toml useraaaaaaaa --private --json | jq -r '.[0].private'
    coord keys inventory/testnet.toml rotate defproducerb
    """
    if accounts[:1] == (KeyAction.ROTATE,) and len(accounts) == len(("rotate", "PRODUCER")):
        if private:
            raise UsageProblem("--private goes with the listing: the key of a rotation stays on its host")
        operate.run(settings, network, Operation(KeyAction.ROTATE, accounts[1]), as_json)
        return
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
