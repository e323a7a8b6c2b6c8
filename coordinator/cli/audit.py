"""`coord audit`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from coordinator.cli.fit import say
from coordinator.cli.options import json_option
from coordinator.workflows.watching.reporting import audit_again, read_report


@click.command("audit")
@click.argument("report", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", metavar="URL", help="The HTTP API of a node of the chain, preferably your own.")
@click.option(
    "--artifacts", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="The folder with files of the sealed network that are too large for the report, named by their sha256.",
)  # fmt: skip
@click.option("--sealed", is_flag=True, help="Print the sealed document instead: its sha256 is the manifest.")
@json_option
def command(report: Path, url: str | None, artifacts: Path | None, sealed: bool, as_json: bool) -> int:
    """Runs the audit of a REPORT again: the file, HTML or JSON, that `coord report` wrote, however long ago.

    Besides the report it needs only a node of the chain to ask, which may be yours. Exit status 1 if the chain was not
    born as that report's network was sealed.

    \b
    coord audit devnet-report.html --url http://127.0.0.1:8888
    coord audit devnet-report.html --sealed | sha256sum
    """
    if sealed == bool(url):
        raise click.UsageError("give either --url, to audit, or --sealed, to print the sealed document")
    if url:
        _check_url(url)
    found = read_report(report)
    if sealed:
        click.echo(found.canonical, nl=False)
        return 0
    audited = asyncio.run(audit_again(found, str(report), artifacts, str(url)))
    if as_json:
        click.echo(json.dumps(audited.document, indent=2))
    else:
        say(audited.lines)
    return 0 if audited.born else 1


def _check_url(url: str) -> None:
    """Raises BadParameter unless it is the address of an HTTP API."""
    try:
        place = urlsplit(url)
        usable = place.scheme in ("http", "https") and bool(place.hostname) and place.port != 0
    except ValueError:  # a port beyond 65535, brackets that do not close
        usable = False
    if not usable:
        raise click.BadParameter(f"{url!r} is not a URL such as http://127.0.0.1:8888", param_hint="'--url'")
