"""`coord host`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from coordinator.advising import typed
from coordinator.cli import completion, operate
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.cli.passphrase import passphrase, passphrase_options
from coordinator.given_files import GIVEN
from coordinator.workflows.changing.operating import HostAction, Operation
from inventory.network import Network

REPLACE = "replace"


@click.command("host")
@proved_inventory_argument(Proof.NONE)
@click.argument("action", type=click.Choice([*(str(action) for action in HostAction), REPLACE]))
@click.argument("host", shell_complete=completion.hosts)
@click.option("--force", is_flag=True, help="Drain it even if the schedule cannot lose its producers.")
@click.option("--backup", type=GIVEN, metavar="FILE", help="replace: the backup with the host's keys.")
@click.option("--identity", type=GIVEN, metavar="FILE", help="replace: the private key that opens the backup.")
@passphrase_options
@click.option("--without-keys", is_flag=True, help="replace: continue although the host's keys are lost.")
@json_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    network: Network,
    action: str,
    host: str,
    backup: Path | None,
    identity: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    **flags: bool,
) -> None:
    """Drains a host for work on the machine, replaces a dead machine, or removes a host that left the inventory.

    drain: pauses its producers; their nodes follow the chain. undrain: they make blocks again. remove: stops the nodes
    of a host that the inventory no longer lists, and revokes its agent's access; the data stays on the host.

    replace: another machine takes the place of a dead one. Write the new machine's addresses into the inventory first;
    the host keeps its name. The agent is installed there and the keys come from a backup. Its producers sign once they
    have seen for two rounds that nobody else signs for them. The old machine's access is revoked: if it is powered on
    again, it signs nothing.

    \b
    coord host inventory/testnet.toml drain h2
    coord host inventory/testnet.toml replace h2 --backup testnet.backup --identity key.txt
    coord host inventory/testnet.toml remove h5
    """
    if action != REPLACE:
        if backup or identity or passphrase_file or flags["passphrase"] or flags["without_keys"]:
            raise click.UsageError("--backup, --identity, --passphrase and --without-keys belong to replace")
        operate.run(settings, network, Operation(HostAction(action), host, flags["force"]), as_json)
        return
    from coordinator.report.progress import PlainReporter
    from coordinator.workflows.replacing import Source, replace

    source = Source(backup, identity, passphrase(flags["passphrase"], passphrase_file, new=False))
    progress = PlainReporter(sys.stderr)
    done = asyncio.run(replace(network, settings.state, host, source, progress, without_keys=flags["without_keys"]))
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
        return
    click.echo(f"replaced  {done.host}; the old machine is shut out")
    click.echo(f"keys      {', '.join(done.accounts) or 'none'}")
    click.echo(f"runs      {', '.join(done.started) or 'nothing'}")
    for line in done.lost:
        click.echo(f"LOST      {line}")
    for line in done.left:
        click.echo(f"differs   {line}")
    if done.left:
        click.echo(f"next      {typed('boot')}  makes everything as the inventory says")
    else:
        click.echo("next      nothing: the other hosts' nodes have the new address, and all is as the inventory says")
