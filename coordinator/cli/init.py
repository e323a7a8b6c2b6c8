"""`coord init`."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coordinator.advising import typed_for
from coordinator.cli.options import Settings
from coordinator.errors import UsageProblem
from inventory.template import SHIPPED, Draft, shipped

if TYPE_CHECKING:
    from inventory.network import Network

NAME, PRODUCERS, SYMBOL = "mynet", 4, "4,SYS"


@click.command("init")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "origin", type=click.Choice(SHIPPED), help="Copy an inventory that comes with bootcoord.")
@click.option("--name", help=f"The network's name.  [default: {NAME}, or that of --from]")
@click.option("--producers", type=click.IntRange(1, 1000), help=f"How many producers.  [default: {PRODUCERS}]")
@click.option("--symbol", metavar="DECIMALS,CODE", help=f"The core token.  [default: {SYMBOL}]")
@click.option(
    "--host", "hosts", metavar="NAME=ADDRESS", multiple=True,
    help="A host that is reached over SSH; give one for each. Without any, all nodes run on this machine.",
)  # fmt: skip
@click.pass_obj
def command(
    settings: Settings, file: Path | None, origin: str | None, name: str | None, producers: int | None,
    symbol: str | None, hosts: tuple[str, ...],
) -> None:  # fmt: skip
    """Writes a commented inventory to FILE, by default NAME.toml. A file that exists is never overwritten.

    On a terminal, and without options, it asks. The inventory is checked as `coord plan` does before it is written.

    \b
    coord init
    coord init --from devnet
    coord init mine.toml --name mine --producers 5 --symbol 4,GOLD
    coord init net.toml --name net --host h1=10.0.0.1 --host h2=10.0.0.2
    """
    if origin and (producers is not None or symbol or hosts):
        raise click.UsageError("--from copies a whole inventory: only --name can be used together with it")
    draft = Draft(name or NAME, producers or PRODUCERS, symbol or SYMBOL, _addresses(hosts))
    if not (origin or name or producers or symbol or hosts) and _terminal():
        draft = _asked()
    path = file or Path(f"{name or origin or draft.name}.toml")
    if path.exists():
        raise _exists(path)
    text = shipped(origin, shlex.quote(str(path)), name) if origin else draft.text(shlex.quote(str(path)))
    network = _checked(text, path)
    _write(path, text)
    click.echo(f"wrote {path}: {len(network.hosts)} host(s), {len(network.nodes)} nodes")
    for verb in ("plan", "boot") if all(host.local for host in network.hosts) else ("preflight", "plan", "boot"):
        click.echo(f"next  {typed_for(path, verb)}")


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _addresses(hosts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in hosts:
        name, sign, address = text.partition("=")
        if not (sign and name and address):
            raise UsageProblem(f"--host {text}: NAME=ADDRESS is expected, as in h1=10.0.0.1")
        if name in found:
            raise UsageProblem(f"--host {text}: there are two hosts called {name}")
        found[name] = address
    return found


def _asked() -> Draft:
    name = click.prompt("Name of the network", NAME)
    producers = click.prompt("How many producers", PRODUCERS, type=click.IntRange(1, 1000))
    symbol = click.prompt("The core token: decimals and code", SYMBOL)
    click.echo("Hosts that are reached over SSH, as in h1=10.0.0.1 h2=10.0.0.2; none: all nodes on this machine")
    hosts = click.prompt("Hosts", "", show_default=False)
    return Draft(name, producers, symbol, _addresses(hosts.split()))


def _checked(text: str, path: Path) -> Network:
    """The network that the text describes. Raises InventoryError, as if it was at path already."""
    from inventory.errors import InventoryError
    from inventory.load import load

    with tempfile.TemporaryDirectory(prefix="bootcoord-") as folder:
        (tried := Path(folder, "inventory.toml")).write_text(text, encoding="utf-8")
        try:
            return load(tried)
        except InventoryError as error:
            raise InventoryError(f"{path} (not written)", error.problems) from None


def _write(path: Path, text: str) -> None:
    """Writes a file that does not exist yet. Raises UsageProblem."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror}") from error


def _exists(path: Path) -> UsageProblem:
    return UsageProblem(f"{path} is there already, and stays as it is: name another FILE")
