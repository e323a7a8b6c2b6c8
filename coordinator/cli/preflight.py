"""`coord preflight`."""

from __future__ import annotations

import asyncio
import json
import sys

import click

from coordinator.cli.fit import say
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.hosts.passwords import Passwords, in_thread
from coordinator.hosts.preflight.run import preflight
from coordinator.report.progress import PlainReporter
from coordinator.report.tables import columns
from inventory.network import Network


@click.command("preflight")
@proved_inventory_argument(Proof.UNSEALED)
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, as_json: bool) -> int:
    """Checks every host, changing nothing: prints what it found, and which hosts reach which p2p ports.

    Each problem comes with a way to fix it. The exit status is 1 if a problem would make the boot fail.

    \b
    coord preflight inventory/testnet.toml
    """
    progress = PlainReporter(sys.stderr)
    folder = settings.state.absolute() / network.name

    passwords = Passwords()

    def told(host: str, text: str) -> None:
        progress.note(f"{host}: {text}")

    found = asyncio.run(in_thread(passwords.stop, preflight, network, folder, passwords.ask, told, passwords.stop))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return 1 if found.fatal else 0
    for heading, *rows in (found.table(), found.matrix()):
        if rows:
            say((*columns([cell.upper() for cell in heading], rows), ""))
    say(f"{'FATAL' if problem.fatal else 'warning'}  {problem}" for problem in found.problems)
    click.echo(f"{len(found.fatal)} fatal, {len(found.warnings)} warnings" if found.problems else "no problems")
    return 1 if found.fatal else 0
