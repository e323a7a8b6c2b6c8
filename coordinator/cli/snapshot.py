"""`coord snapshot`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from coordinator.cli import completion
from coordinator.cli.options import Amount, Proof, Settings, json_option, proved_inventory_argument
from coordinator.errors import OperationFailed
from coordinator.given_files import check_written
from coordinator.report.progress import PlainReporter
from coordinator.workflows.using.snapshots import SnapshotAction, SnapshotRequest, snapshots
from inventory.network import Network
from support.files import copy_atomic
from support.snapshots import KEEP, KEEP_DAYS


@click.command("snapshot")
@proved_inventory_argument(Proof.NONE)
@click.argument("action", type=click.Choice([str(action) for action in SnapshotAction]))
@click.argument("name", default="", metavar="[NODE|SNAPSHOT]", shell_complete=completion.nodes)
@click.option(
    "--snapshot", default="", metavar="SNAPSHOT", help="restart: the snapshot to begin with. [default: the newest]"
)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="fetch: copy the file to here.")
@click.option("--keep", type=click.IntRange(1, 1000), default=KEEP, show_default=True, help="take: how many are kept.")
@click.option(
    "--days", type=Amount(3650), default=KEEP_DAYS, show_default=True, help="take: for how long they are kept."
)
@click.option("--vouch", is_flag=True, help="take: parties sign their nodes' state at the same block.")
@json_option
@click.pass_obj
def command(
    settings: Settings,
    network: Network,
    action: str,
    name: str,
    snapshot: str,
    to: Path | None,
    keep: int,
    days: float,
    vouch: bool,
    as_json: bool,
) -> None:
    """Takes, lists and fetches snapshots of the chain's state, and restarts a node from one.

    \b
    take [NODE]       takes one from NODE, or from a node with all blocks; kept on its host and here
    list              lists those here and on hosts, the newest first
    fetch [SNAPSHOT]  copies one, or the newest, here; an interrupted fetch continues where it stopped
    restart NODE      sets NODE's chain aside and starts it from a snapshot; its peers send the later blocks

    A snapshot is named BLOCK-SHA256, as `list` shows, or by the first 8 digits of its sha256. The newest is never
    removed, except by `coord down --purge`. Nodes that `coord boot` starts for the first time start from one where that
    is quicker (nodeos.snapshot in the inventory; docs/snapshots.md).

    \b
    coord snapshot inventory/testnet.toml take --vouch
    coord snapshot inventory/testnet.toml fetch --to state.bin
    coord snapshot inventory/testnet.toml restart defproducerb
    """
    chosen = SnapshotAction(action)
    if to and chosen is not SnapshotAction.FETCH:
        raise click.UsageError("--to is for fetch")
    if to:
        check_written(to)
    if chosen is SnapshotAction.RESTART and not name:
        raise click.UsageError("restart needs the name of a node")
    of_node = chosen in (SnapshotAction.TAKE, SnapshotAction.RESTART)
    request = SnapshotRequest(chosen, name if of_node else "", snapshot if of_node else name, keep, days, vouch)
    document = asyncio.run(snapshots(network, settings.state, request, PlainReporter(sys.stderr)))
    if to:
        _copy(document, to)
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in _lines(document, chosen):
        click.echo(line)


def _copy(document: dict[str, Any], to: Path) -> None:
    (found,) = document["snapshots"]
    try:
        copy_atomic(Path(found["path"]), to)
    except OSError as error:
        raise OperationFailed(f"{to}: {error.strerror}") from error
    found["path"] = str(to.absolute())


def _lines(document: dict[str, Any], action: SnapshotAction) -> list[str]:
    found = document["snapshots"]
    if action is SnapshotAction.RESTART:
        return [f"{document['restarted']} began with {found[0]['name']}, and has the newest blocks"]
    if not found:
        return ["no snapshot is kept"]
    lines = []
    for one in found:
        taken = datetime.fromtimestamp(one["taken"], UTC)
        places = ", ".join([*(["here"] if one["here"] else []), *one["hosts"]])
        lines.append(
            f"{one['name']}  {one['size'] / 1e6:.1f} MB  {taken:%Y-%m-%d %H:%M:%S} UTC  of {one['node']}  {places}"
        )
    if action is not SnapshotAction.LIST:
        lines.append(f"sha256 {found[0]['sha256']}, in {found[0]['path']}")
        if found[0]["vouchers"]:
            lines.append(f"signed by {', '.join(found[0]['vouchers'])}")
    return lines
