"""`coord adopt`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import click
from rich.console import Console

from boot.steps import STEPS
from coordinator.advising import typed
from coordinator.cli.options import Settings, inventory_argument
from coordinator.report.progress import reporter
from coordinator.workflows.recovering.adopt import Adopted, adopt
from inventory.network import Network


@click.command("adopt")
@inventory_argument
@click.pass_obj
def command(settings: Settings, network: Network) -> int:
    """Rebuilds the coordinator's state of a running network, if it was lost or is damaged here.

    It reports what it found, fetches the sealed network from the hosts, checks everything by its hash, and enrols the
    hosts again, with a new CA if the old one is lost. Nodes keep running, and nothing is sealed or removed.

    \b
    coord adopt inventory/testnet.toml
    """
    progress = reporter(Console(highlight=False, soft_wrap=True))
    try:
        adopted = asyncio.run(adopt(network, settings.state, progress))
    finally:
        progress.close()
    for line in _lines(adopted):
        click.echo(line)
    return 1 if adopted.away else 0


def _lines(adopted: Adopted) -> Iterator[str]:
    yield f"adopted   chain {adopted.sealed.chain_id}"
    yield f"manifest  {adopted.sealed.manifest}"
    if adopted.steps is None:
        yield "steps     unknown until nodes run"
    else:
        yield f"steps     {len(adopted.steps)} of {len(STEPS)} are done, as the chain shows"
    for host, why in adopted.away.items():
        yield f"away      {host}: {why}; run this again to enrol it"
    for host in adopted.empty:
        yield f"empty     {host} holds nothing of this network: it is new or has lost its data"
    if adopted.new_register:
        yield "register  rebuilt: parties that were revoked before have to be revoked again"
    for name, account in adopted.parties.items():
        again = (
            f"; the CA is new: invite it again: {typed('invite', name, '--account', account)}" if adopted.new_ca else ""
        )
        yield f"party     {name}, account {account}{again}"
    for account in adopted.strangers:
        invite = typed("invite", "NAME", "--account", account)
        yield f"party     {account} is an unknown producer: invite it again: {invite}"
    yield f"next      {typed('boot')}"
