"""`coord verify`."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from typing import TYPE_CHECKING

import click

from coordinator.agents.records import BusyError
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import tunnelled
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.answering import answering
from coordinator.workflows.session import DIAL_SECONDS, open_network
from coordinator.workflows.unchanged import check_unchanged
from inventory.network import Network
from support.retry import retrying

if TYPE_CHECKING:
    from boot.audit import AuditReport

AUDIT_SECONDS = 900.0
"""Seconds that a running coordinator has for the audit."""
ASK_SECONDS = 10.0
"""Seconds to wait for the answer of a running command."""


@click.command("verify")
@inventory_argument
@click.option("--strict", is_flag=True, help="Exit with status 1 also if something differs today.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, strict: bool, as_json: bool) -> int:
    """Audits the whole chain against the inventory, with code independent of the boot's. Changes nothing.

    It answers two questions: whether the chain was born as planned, which its blocks prove for good; and what has
    changed since, as people transact and producers decide. The exit status is 1 if it was not born as planned.
    docs/audit.md says what is compared, and how to do the same by hand with cleos.

    \b
    coord verify inventory/devnet.toml
    """
    document, lines = asyncio.run(_report(settings, network))
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        for line in lines:
            click.echo(line)
    return 0 if document["born"] and (document["unchanged"] or not strict) else 1


async def _report(settings: Settings, network: Network) -> tuple[dict[str, object], list[str]]:
    """The audit, even while other commands start and end."""
    return await retrying(lambda: _judge(settings, network), on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def _judge(settings: Settings, network: Network) -> tuple[dict[str, object], list[str]]:
    """The audit, by the running coordinator if there is one.

    Raises UsageProblem if the inventory was edited after the seal: the chain is compared with what was sealed.
    """
    if StateFolder.exists(settings.state, network.name):
        with closing(StateFolder(settings.state, network.name)) as state:
            check_unchanged(network, state)
    try:
        report = await _audit(settings, network)
    except BusyError:
        answer = await ask_running(settings.state.absolute() / network.name, "verify", AUDIT_SECONDS)
        return answer["document"], answer["lines"]
    from boot.audit import render  # takes 0.1 s to import, and --help does not need it

    return report.to_json(), list(render(report))


async def _audit(settings: Settings, network: Network) -> AuditReport:
    if not StateFolder.exists(settings.state, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: coord boot {network.argument}")
    async with open_network(network, settings.state, acting=False) as opened, answering(opened):
        _ = opened.sealed  # raises before it waits for anything
        hosts = dict.fromkeys(node.host for node in network.nodes)
        with tunnelled(opened.network, opened.hub) as troubles:
            missing = await opened.connected(hosts, DIAL_SECONDS)
            if network.genesis_node.host in missing and len(missing) == len(hosts):
                why = "".join(f"{host}: {trouble}; " for host, trouble in troubles.items())
                raise OperationFailed(f"{why}no agent answers; run: coord boot {network.argument}")
            from coordinator.report.audit import audit_chain

            return await audit_chain(opened)
