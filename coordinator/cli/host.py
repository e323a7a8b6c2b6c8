"""`coord host`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boot.reads import few
from coordinator.advising import typed
from coordinator.cli import completion, operate
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.cli.passphrase import passphrase, passphrase_options
from coordinator.given_files import GIVEN
from coordinator.workflows.changing.operating import HostAction, Operation
from inventory.network import Network

if TYPE_CHECKING:
    from coordinator.workflows.recovering.host_keys import Source

REPLACE, RESTORE_KEYS = "replace", "restore-keys"


@click.command("host")
@proved_inventory_argument(Proof.NONE)
@click.argument("action", type=click.Choice([*(str(action) for action in HostAction), REPLACE, RESTORE_KEYS]))
@click.argument("host", shell_complete=completion.hosts)
@click.option("--force", is_flag=True, help="Drain or remove it even if the schedule cannot lose its producers.")
@click.option("--backup", type=GIVEN, metavar="FILE", help="replace, restore-keys: the backup with the host's keys.")
@click.option("--identity", type=GIVEN, metavar="FILE", help="The private key that opens the backup.")
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
    """Drains a host for work on the machine, replaces a dead machine, puts lost keys back, or removes a host that left
    the inventory.

    drain: pauses its producers; their nodes follow the chain. undrain: they make blocks again. remove: stops the nodes
    of a host that the inventory no longer lists, and revokes its agent's access; the data stays on the host.

    replace: another machine takes the place of a dead one. Write the new machine's addresses into the inventory first;
    the host keeps its name. The agent is installed there and the keys come from a backup. Its producers sign once they
    have seen for two rounds that nobody else signs for them. The old machine's access is revoked: if it is powered on
    again, it signs nothing.

    restore-keys: hands a living host the keys that a backup has of it, when its key files are lost. Its nodes keep
    running, and keys that it still has stay.

    \b
    coord host inventory/testnet.toml drain h2
    coord host inventory/testnet.toml replace h2 --backup testnet.backup --identity key.txt
    coord host inventory/testnet.toml restore-keys h2 --backup testnet.backup --identity key.txt
    coord host inventory/testnet.toml remove h5
    """
    if action not in (REPLACE, RESTORE_KEYS):
        if backup or identity or passphrase_file or flags["passphrase"] or flags["without_keys"]:
            raise click.UsageError(
                "--backup, --identity, --passphrase and --without-keys belong to replace and restore-keys"
            )
        operate.run(settings, network, Operation(HostAction(action), host, flags["force"]), as_json)
        return
    from coordinator.workflows.recovering.host_keys import Source

    source = Source(backup, identity, passphrase(flags["passphrase"], passphrase_file, new=False))
    if action == REPLACE:
        _replace(settings, network, host, source, without_keys=flags["without_keys"], as_json=as_json)
    elif flags["without_keys"]:
        raise click.UsageError("--without-keys belongs to replace")
    else:
        _restore_keys(settings, network, host, source, as_json=as_json)


def _restore_keys(settings: Settings, network: Network, host: str, source: Source, *, as_json: bool) -> None:
    from coordinator.workflows.recovering.host_keys import put_back

    accounts = put_back(network, settings.state, host, source)
    if as_json:
        click.echo(json.dumps({"host": host, "accounts": accounts}, indent=2))
        return
    click.echo(f"{host}: keys of {few(accounts) or 'nobody'} are there; its nodes were left as they are")


def _replace(
    settings: Settings, network: Network, host: str, source: Source, *, without_keys: bool, as_json: bool
) -> None:
    from coordinator.report.progress import PlainReporter
    from coordinator.workflows.replacing import replace

    progress = PlainReporter(sys.stderr)
    done = asyncio.run(replace(network, settings.state, host, source, progress, without_keys=without_keys))
    if as_json:
        click.echo(json.dumps(asdict(done), indent=2))
        return
    click.echo(f"replaced  {done.host}; the old machine is shut out")
    click.echo(f"keys      {few(done.accounts) or 'none'}")
    click.echo(f"runs      {', '.join(done.started) or 'nothing'}")
    for line in done.lost:
        click.echo(f"LOST      {line}")
    for line in done.left:
        click.echo(f"differs   {line}")
    if done.left:
        click.echo(f"next      {typed('boot')}  makes everything as the inventory says")
    else:
        owed = "do what LOST says; everything else" if done.lost else "nothing: everything"
        click.echo(f"next      {owed} is as the inventory says")
