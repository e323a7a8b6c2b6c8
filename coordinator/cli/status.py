"""`coord status`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from contextlib import closing

import click

from coordinator.cli import completion
from coordinator.cli.fit import say, terminal_width
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.watching.status import report, screen
from coordinator.workflows.watching.why import check_step, why
from inventory.network import Network

HOME, TO_LINE_END, TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"
"""ECMA-48: the cursor to the first line; the rest of a line, and of the screen, erased."""
REDRAW = 1.0
"""Seconds between two updates of --watch."""


@click.command("status")
@inventory_argument
@click.option("--watch", is_flag=True, help="Update the display until Ctrl-C.")
@click.option(
    "--why", "step", metavar="STEP", shell_complete=completion.steps,
    help="Show what a step of the boot waits for, and since which event.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Exit with status 1 if the chain, a host or a node has a problem.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, watch: bool, step: str | None, check: bool, as_json: bool) -> int:
    """Shows the state of the network: phase, hosts, nodes with head and LIB, schedule, steps. Changes nothing.

    \b
    coord status inventory/devnet.toml
    coord status inventory/devnet.toml --check
    coord status inventory/devnet.toml --json | jq .nodes
    coord status inventory/devnet.toml --why handover
    """
    if step and (watch or as_json or check):
        raise click.UsageError("--why cannot be used together with --watch, --check or --json")
    if step:
        click.echo(asyncio.run(_why(settings, network, step)))
        return 0
    if watch and (as_json or check):
        raise click.UsageError(f"--watch and {'--json' if as_json else '--check'} cannot be used together")
    if watch:
        if sys.stdout.isatty():
            click.clear()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, network))
        return 0
    shown = asyncio.run(report(network, settings.state, terminal_width()))
    wrong = shown.problems if check else ()
    if as_json:
        click.echo(json.dumps(shown.document, indent=2))
    else:
        say((*shown.lines, *(f"WRONG     {problem}" for problem in wrong)))
    return 1 if wrong else 0


async def _why(settings: Settings, network: Network, step: str) -> str:
    """What a running boot says of the step, or else how it last ended. Raises NoAnswer and others."""
    check_step(step)
    if not StateFolder.exists(settings.state, network.name):
        return why(step, network, {}, None)
    with closing(StateFolder(settings.state, network.name)) as state:
        try:
            return str((await ask_running(state.folder, "why", step=step))["said"])
        except NoAnswer as error:
            if isinstance(error.__cause__, TimeoutError):  # one is running, but too busy
                raise
            return why(step, network, state.steps(), None)


async def _watch(settings: Settings, network: Network) -> None:
    """Each screen is drawn over the one before, so that nothing flickers."""
    while True:
        size = shutil.get_terminal_size()
        lines = await screen(network, settings.state, size.columns, size.lines - 1)
        if sys.stdout.isatty():
            click.echo(f"{HOME}{''.join(f'{line}{TO_LINE_END}{chr(10)}' for line in lines)}{TO_SCREEN_END}", nl=False)
        else:
            click.echo("\n".join((*lines, "")))
        await asyncio.sleep(REDRAW)  # lets an acting command take the lock
