"""`coord boot`."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from boot.plan import Plan, make_plan
from boot.steps import OPTIONAL, STEPS, steps_of
from coordinator.cli import completion
from coordinator.cli.metrics import metrics_option
from coordinator.cli.options import Proof, Settings, proved_inventory_argument
from coordinator.cli.web import page_of, web_options
from coordinator.engine.outcome import Booted
from coordinator.hosts.address import advertised
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import reporter
from coordinator.report.summary import summarise
from coordinator.workflows.boot import boot
from coordinator.workflows.foresee import check_contracts
from coordinator.workflows.rolling import Rolling
from coordinator.workflows.serve import until_stopped
from inventory.network import Network
from support.endpoint import Endpoint


@click.command("boot")
@proved_inventory_argument(Proof.UNSEALED)
@click.option(
    "--until", metavar="STEP", shell_complete=completion.steps, help="Stop after this step and everything it needs."
)
@click.option(
    "--only", metavar="STEP|HOST|NODE", shell_complete=completion.places,
    help="Run only this step, whose needs must be done already; or change only this host or node.",
)  # fmt: skip
@click.option(
    "--max-unavailable", type=click.IntRange(1), default=1, show_default=True, metavar="N",
    help="Nodes that are restarted at the same time to apply changes; of scheduled producers it is always one.",
)  # fmt: skip
@click.option("--serve", is_flag=True, help="Afterwards keep serving parties, as `coord serve` does, until Ctrl-C.")
@metrics_option
@click.option("--verbose", is_flag=True, help="Also print what each step waits for, whenever that changes.")
@web_options
@click.pass_obj
def command(
    settings: Settings,
    network: Network,
    until: str | None,
    only: str | None,
    serve: bool,
    verbose: bool,
    max_unavailable: int,
    web: Endpoint | str | None,
    web_names: tuple[str, ...],
    metrics: Endpoint | None,
) -> int:
    """Boots the network, or continues where it stopped, and applies changes of the inventory to what runs. If nothing
    differs, it changes nothing; `coord plan` shows the differences.

    Ctrl-C stops it at any point: nodes and agents keep running, and the next `coord boot` continues. `coord plan` lists
    the steps.

    \b
    coord boot inventory/devnet.toml
    coord boot inventory/devnet.toml --until accounts
    coord boot inventory/testnet.toml --only h2
    coord boot inventory/devnet.toml --serve --web
    """
    if until and only:
        raise click.UsageError("--until and --only cannot be used together")
    place = bool(only) and only not in {step.name for step in (*STEPS, *OPTIONAL)}
    plan = select(network, until, "" if place else only)
    rolling = Rolling(str(only) if place else "", max_unavailable)
    console = Console(highlight=False, soft_wrap=True)
    page = page_of(web, web_names)
    progress = page.before(reporter(console))
    stands = False
    check_contracts(network, settings.state, progress.note)

    async def then(opened: OpenNetwork, booted: Booted) -> None:
        nonlocal stands
        summary = await summarise(opened, booted)
        stands = summary.report.stands
        progress.close()
        for line in summary.lines():
            console.print(line, markup=False)
        if serve:
            console.print(
                f"parties dial {advertised(network)}:{opened.hub.port}; Ctrl-C stops serving them", markup=False
            )
            await until_stopped()

    try:
        booted = asyncio.run(boot(network, settings.state, plan, progress, then, verbose, rolling, page, metrics))
    finally:
        progress.close()
    return 1 if booted.outcome.failed or stands else 0


def select(network: Network, until: str | None, only: str | None) -> Plan:
    """The part of the plan that the options select. Raises PlanError."""
    if only:
        return make_plan((*STEPS, *OPTIONAL)).only(only)
    plan = make_plan(steps_of(network))
    return plan.until(until) if until else plan
