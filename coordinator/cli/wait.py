"""`coord wait`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click

from coordinator.cli.options import Amount, Settings, inventory_argument, json_option
from coordinator.cli.status import report
from coordinator.reporter import StepResult
from inventory.network import Network
from support.retry import DeadlineError, poll

SECONDS = 600.0
PHASES = {"live": ("live",), "voting": ("voting", "live")}
"""The phases in which each that can be waited for has been reached."""


@click.command("wait")
@inventory_argument
@click.option("--phase", type=click.Choice(list(PHASES)), help="[default: live, unless a block is waited for]")
@click.option("--block", type=click.IntRange(1), metavar="N", help="The head is block N or later.")
@click.option("--lib", type=click.IntRange(1), metavar="N", help="Block N is irreversible.")
@click.option("--seconds", type=Amount(), default=SECONDS, show_default=True, help="How long to wait.")
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, phase: str | None, block: int | None, lib: int | None, seconds: float,
    as_json: bool,
) -> int:  # fmt: skip
    """Waits until all that is asked for is true, says on stderr what is missing, and ends with status 1 if it does not
    come in time. Changes nothing.

    \b
    coord wait inventory/devnet.toml && ./deploy-my-contract
    coord wait inventory/devnet.toml --lib 500 --seconds 60
    """
    if phase is None and block is None and lib is None:
        phase = "live"
    began = time.monotonic()
    document, left = asyncio.run(_wait(settings, network, phase, block, lib, seconds))
    if as_json:
        facts = {name: document.get(name) for name in ("network", "phase", "head_block", "lib")}
        click.echo(json.dumps({"reached": not left, "missing": left, **facts, "seconds": time.monotonic() - began}))
    elif left:
        click.echo(f"coord: waited {seconds:g} s for {network.name}: {'; '.join(left)}", err=True)
    else:
        click.echo(f"{network.name}: {document['phase']}, head {document['head_block']}, LIB {document['lib']}")
    return 1 if left else 0


async def _wait(
    settings: Settings, network: Network, phase: str | None, block: int | None, lib: int | None, seconds: float
) -> tuple[Mapping[str, Any], list[str]]:
    """The latest report, and what is missing in it."""
    document: Mapping[str, Any] = {}
    left = ["nothing was heard of it"]

    async def reached() -> bool:
        nonlocal document, left
        document, _ = await report(settings, network)
        before, left = left, missing(document, phase, block, lib)
        if left and left != before:
            click.echo(f"waiting: {'; '.join(left)}", err=True)
        return not left

    with suppress(DeadlineError):  # what is missing is told
        await poll(reached, what="the network", deadline=seconds)
    return document, left


def missing(document: Mapping[str, Any], phase: str | None, block: int | None, lib: int | None) -> list[str]:
    """What is not true yet of a status report; empty: nothing."""
    left = []
    if phase and document["phase"] not in PHASES[phase]:
        step = next((step["name"] for step in document["steps"] if step["state"] != StepResult.DONE), None)
        left.append(f"the phase is {document['phase']}, not {phase}{f', before step {step}' if step else ''}")
    if block and document["head_block"] < block:
        left.append(f"the head is block {document['head_block']}, not {block}")
    if lib and document["lib"] < lib:
        left.append(f"block {document['lib']} is irreversible, not {lib}")
    return left
