"""`coord restore`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from coordinator.advising import typed
from coordinator.cli.options import Settings, json_option
from coordinator.cli.passphrase import passphrase, passphrase_options
from coordinator.given_files import GIVEN


@click.command("restore")
@click.argument("file", type=GIVEN)
@click.option("--identity", type=GIVEN, metavar="FILE", help="The private key, as age-keygen wrote it.")
@passphrase_options
@json_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    file: Path,
    identity: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
    **flags: bool,
) -> None:
    """Restores a coordinator's state from a backup; this machine leads the network from then on.

    FILE was written by `coord backup`. Every part is checked against its hash first, and an existing state is never
    overwritten. Agents that have connected to this machine take no more tasks from the previous one. Run `coord boot`
    afterwards: it tells the hosts over SSH where the coordinator is now.

    \b
    coord restore testnet-20261128T213000Z.backup --identity key.txt
    coord restore testnet.backup --passphrase
    """
    from coordinator.errors import UsageProblem
    from coordinator.state.backup import json_of, read_identities
    from coordinator.workflows.recovering.restoring import restore

    secret = passphrase(flags["passphrase"], passphrase_file, new=False)
    if bool(identity) == bool(secret):
        raise UsageProblem("say how the backup is decrypted: either --identity FILE or --passphrase")
    restored = restore(file, settings.state, read_identities(identity) if identity else (), secret)
    index = restored.index
    if as_json:
        document = {"folder": str(restored.folder), "already": restored.already, **json_of(index)}
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(f"restored  {restored.folder}{' (already, from this backup)' if restored.already else ''}")
    click.echo(f"network   {index.network}, backed up {index.made_at}")
    click.echo(f"chain id  {index.chain_id or '(not sealed yet)'}")
    click.echo(f"CA        {index.ca}")
    click.echo(f"inventory {restored.inventory}  as it was then")
    click.echo(f"parties   revoke again those that were revoked since then; see {typed('parties')}")
    held = ", ".join(index.hosts) or "no host"
    click.echo(f"keys      those of {held} are in the backup, for: {typed('host', 'replace', 'HOST')}")
    click.echo(f"next      {typed('boot')}  tells the hosts this machine's address, over SSH")
