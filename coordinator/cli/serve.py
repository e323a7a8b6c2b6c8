"""`coord serve`."""

from __future__ import annotations

import asyncio
import sys
import time

import click

from coordinator.booting import check_unchanged
from coordinator.cli.options import Settings, inventory_argument
from coordinator.hosts import Hosts
from coordinator.keeping import agents_kept
from coordinator.progress import PlainReporter
from coordinator.serving import serving, until_stopped
from coordinator.session import advertised, open_session
from inventory.network import Network


@click.command("serve")
@inventory_argument
@click.pass_obj
def command(settings: Settings, network: Network) -> None:
    """Keeps the door open for parties, and brings each as far as it can get; until Ctrl-C.

    It may be stopped and typed again at any time: parties and nodes run on without it.

    \b
    coord serve inventory/devnet.toml
    """
    asyncio.run(serve(settings, network))


async def serve(settings: Settings, network: Network) -> None:
    reporter = PlainReporter(sys.stdout)

    def tell(text: str) -> None:
        reporter.note(f"{time.strftime('%H:%M:%SZ', time.gmtime())}  {text}")

    async with open_session(network, settings.state, acting=True) as session:
        check_unchanged(session.network, session.state.sealed)
        hosts = Hosts(session, reporter)
        with hosts.reached():
            async with serving(session, tell):
                await hosts.ensure_agents()
                tell(f"agents and parties dial {advertised(network)}:{session.hub.port}; Ctrl-C ends this")
                async with agents_kept(session, reporter):
                    await until_stopped()
    reporter.note("the door is closed; parties and nodes run on")
