"""`coord boot`."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console

from boot.plan import Plan, make_plan
from boot.steps import OPTIONAL, STEPS, steps_of
from coordinator.cli import completion, faults
from coordinator.cli.metrics import metrics_option
from coordinator.cli.options import Proof, Settings, proved_inventory_argument
from coordinator.cli.web import page_of, web_options
from coordinator.engine.outcome import Booted
from coordinator.hosts.address import advertised
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import EventReporter, LiveReporter, PlainReporter, QuietReporter, reporter
from coordinator.report.shown import document
from coordinator.report.summary import summarise
from coordinator.reporter import Reporter
from coordinator.workflows.boot import boot
from coordinator.workflows.changing.rolling import Rolling
from coordinator.workflows.opening.aside import Aside
from coordinator.workflows.serving.serve import until_stopped
from coordinator.workflows.starting.foresee import check_contracts
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
@click.option(
    "-q", "--quiet", is_flag=True, help="Print only what goes wrong or waits for people, and the phase at the end."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print what happens as JSON, one object per line; the last has the status."
)
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
    quiet: bool,
    as_json: bool,
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
    if quiet and (verbose or as_json):
        raise click.UsageError(f"--quiet and {'--verbose' if verbose else '--json'} cannot be used together")
    console = Console(highlight=False, soft_wrap=True)
    page = page_of(web, web_names)
    progress = _reporter(console, quiet, as_json, network.name)
    beat = progress.beat if isinstance(progress, LiveReporter) else None
    stands, aside = False, Aside()
    check_contracts(network, settings.state, progress.note)

    async def then(opened: OpenNetwork, booted: Booted) -> None:
        nonlocal stands
        summary = await summarise(opened, booted)
        stands = summary.report.stands
        progress.close()
        if isinstance(progress, EventReporter):
            progress.event("summary", **document(summary.report))
        else:
            for line in summary.brief() if quiet else summary.lines(console.width if console.is_terminal else None):
                console.print(line, markup=False)
        if serve:
            progress.note(f"parties dial {advertised(network)}:{opened.hub.port}; Ctrl-C stops serving them")
            await until_stopped(aside)

    async def work() -> Booted:
        booted = await boot(
            network, settings.state, plan, progress, then, verbose, rolling, page, metrics, beat, aside=aside
        )
        if aside.asked:
            from coordinator.cli.serve import serve as serve_on  # only now: a boot mostly serves nobody

            plain = progress if as_json else PlainReporter(console.file)
            await serve_on(settings, network, page, metrics, plain, aside.asked)
        return booted

    try:
        booted = asyncio.run(work())
    finally:
        progress.close()
    return 1 if booted.outcome.failed or stands else 0


def _reporter(console: Console, quiet: bool, as_json: bool, network: str) -> Reporter:
    if as_json:
        faults.as_json(network)
        return EventReporter(console.file, network)
    return QuietReporter(console.file) if quiet else reporter(console)


def select(network: Network, until: str | None, only: str | None) -> Plan:
    """The part of the plan that the options select. Raises PlanError."""
    if only:
        return make_plan((*STEPS, *OPTIONAL)).only(only)
    plan = make_plan(steps_of(network))
    return plan.until(until) if until else plan
