"""`coord serve`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import click

from coordinator.cli import faults
from coordinator.cli.metrics import metrics_option
from coordinator.cli.options import Settings, inventory_argument
from coordinator.cli.web import page_of, web_options
from coordinator.engine.reasons import Reasons
from coordinator.hosts.address import advertised
from coordinator.hosts.fleet import Hosts
from coordinator.report.progress import EventReporter, PlainReporter
from coordinator.report.tracking import AtWork
from coordinator.reporter import Reporter
from coordinator.workflows.opening.aside import Aside, read_again, until_back
from coordinator.workflows.opening.session import open_network
from coordinator.workflows.opening.unchanged import check_unchanged
from coordinator.workflows.serving.keep_agents import agents_kept
from coordinator.workflows.serving.serve import serving, until_stopped
from coordinator.workflows.watching.measuring import measured
from coordinator.workflows.watching.page import Page
from inventory.network import Network
from support.endpoint import Endpoint


@click.command("serve")
@inventory_argument
@web_options
@metrics_option
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON, an object a line.")
@click.pass_obj
def command(
    settings: Settings,
    network: Network,
    web: Endpoint | str | None,
    web_names: tuple[str, ...],
    metrics: Endpoint | None,
    as_json: bool,
) -> None:
    """Lets invited parties join, and helps each until it produces blocks. Runs until Ctrl-C.

    It can be stopped and started again at any time: parties and nodes keep running without it. For a command that
    changes the network, such as `coord boot` in another terminal, it steps aside, and serves again when that has ended.

    \b
    coord serve inventory/devnet.toml
    coord serve inventory/devnet.toml --web
    """
    if as_json:
        faults.as_json(network.name)
    reporter = EventReporter(sys.stdout, network.name) if as_json else PlainReporter(sys.stdout)
    asyncio.run(serve(settings, network, page_of(web, web_names), metrics, reporter))


async def serve(
    settings: Settings, network: Network, page: Page, metrics: Endpoint | None, reporter: Reporter, who: str = ""
) -> None:
    """Serves until Ctrl-C, and steps aside for commands that change the network. who: one that works already."""

    def tell(text: str) -> None:
        timed = isinstance(reporter, EventReporter)
        reporter.note(text if timed else f"{time.strftime('%H:%M:%SZ', time.gmtime())}  {text}")

    while who or (who := await _serve_once(settings, network, page, metrics, reporter, tell)):
        tell(f"coord {who} works on the network now; this one serves again when that has ended")
        await until_back(settings.state.absolute() / network.name)
        network, who = read_again(network, settings.state, tell), ""
    reporter.note("no longer serving parties; they and the nodes keep running")


async def _serve_once(
    settings: Settings,
    network: Network,
    page: Page,
    metrics: Endpoint | None,
    reporter: Reporter,
    tell: Callable[[str], None],
) -> str:
    """Serves until Ctrl-C, or until another command asks to work. Returns that command; empty after Ctrl-C."""
    aside = Aside()
    async with open_network(network, settings.state, acting=True) as opened:
        check_unchanged(opened.network, opened.state)
        hosts = Hosts(opened.network, opened.state, opened.hub, reporter)
        with hosts.reached():
            async with (
                serving(opened, tell, aside=aside),
                page.shown(opened, Reasons(), AtWork(), tell),
                measured(opened, metrics, tell),
            ):
                await hosts.ensure_agents()
                tell(f"agents and parties dial {advertised(network)}:{opened.hub.port}; Ctrl-C stops serving them")
                async with agents_kept(opened, reporter):
                    await until_stopped(aside)
    return aside.asked
