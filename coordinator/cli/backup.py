"""`coord backup`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.cli.passphrase import passphrase, passphrase_options
from coordinator.given_files import GIVEN, check_written, read_short
from inventory.network import Network


@click.command("backup")
@inventory_argument
@click.option("--recipient", multiple=True, metavar="age1…", help="Who can decrypt it. May be repeated.")
@click.option("--recipients-file", type=GIVEN, metavar="FILE", help="A file with such recipients, one per line.")
@passphrase_options
@click.option("--keys", multiple=True, metavar="HOST", help="Include this host's keys. May be repeated.")
@click.option("--all-keys", is_flag=True, help="Include the keys of every host.")
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="By default NETWORK-DATE.backup, here.")
@json_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    network: Network,
    recipient: tuple[str, ...],
    recipients_file: Path | None,
    passphrase_file: Path | None,
    keys: tuple[str, ...],
    all_keys: bool,
    to: Path | None,
    as_json: bool,
    **flags: bool,
) -> None:
    """Backs up the coordinator's state, its CA and hosts' keys in one file, encrypted with age.

    A host's keys are encrypted on that host: they never travel in the clear, and this machine never has them. Make a
    key pair with age-keygen, keep its file away from here, and give its public key to --recipient. The network keeps
    running. `coord restore` and `coord host INVENTORY replace` read the file.

    \b
    coord backup inventory/testnet.toml --recipient age1… --all-keys
    coord backup inventory/testnet.toml --passphrase --keys h1 --keys h2 --to /media/usb/testnet.backup
    """
    from coordinator.state.backup import json_of
    from coordinator.workflows.recovering.backup import Lock, back_up, without_keys

    listed = read_short(recipients_file).splitlines() if recipients_file else []
    recipients = (*recipient, *(line.strip() for line in listed if line.strip() and not line.startswith("#")))
    locked = Lock(recipients, passphrase(flags["passphrase"], passphrase_file, new=True))
    file = to or Path(f"{network.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup")
    check_written(file)
    hosts = [host.name for host in network.hosts] if all_keys else keys
    index = back_up(network, settings.state, file, locked, hosts, lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps({"file": str(file), **json_of(index)}, indent=2))
        return
    click.echo(f"written   {file}, {file.stat().st_size / 1e6:.1f} MB")
    click.echo(f"network   {index.network}, chain {index.chain_id or '(not sealed yet)'}")
    click.echo(f"keys      {', '.join(index.hosts) or 'of no host'}")
    if left := without_keys(network, index):
        click.echo(f"          not those of {', '.join(left)}: --keys HOST, or --all-keys")
