"""`coord logs`."""

from __future__ import annotations

import os

import click

from coordinator.cli import completion
from coordinator.cli.options import Settings, inventory_argument
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.fleet import deployment
from coordinator.state.folder import StateFolder
from inventory.network import Host, Network

AGENT = "agent"


@click.command("logs")
@inventory_argument
@click.argument("node", shell_complete=completion.logs)
@click.option("-f", "--follow", is_flag=True, help="Keep printing as the log grows, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    default=40,
    show_default=True,
    help="How many lines to show from the end.",
)
@click.pass_obj
def command(settings: Settings, network: Network, node: str, follow: bool, lines: int) -> None:
    """Shows the log of NODE, or of a host's agent (agent@HOST).

    \b
    coord logs inventory/devnet.toml genesis -f
    coord logs inventory/devnet.toml agent@local
    """
    name, _, host_name = node.partition("@")
    hosts = {host.name: host for host in network.hosts}
    nodes = {entry.name: entry for entry in network.nodes}
    if name == AGENT and host_name in hosts:
        host, path = hosts[host_name], "agent.log"
    elif node in nodes:
        host, path = hosts[nodes[node].host], f"nodes/{node}/log/nodeos.log"
    else:
        known = ", ".join([*nodes, *(f"{AGENT}@{name}" for name in hosts)])
        raise UsageProblem(f"{network.source}: there is no node {node!r}; known: {known}")
    if not host.local:
        _far(settings, network, host, "" if name == AGENT else node, lines, follow)
        return
    file = settings.state.absolute() / network.name / "hosts" / host.name / path
    if not file.exists():
        raise OperationFailed(f"{node} has written no log yet ({file})")
    arguments = ["tail", "-n", str(lines), *(["-F"] if follow else []), "--", str(file)]
    os.execvp("tail", arguments)  # noqa: S606, S607 (an argument list; tail of the user's own system)


def _far(settings: Settings, network: Network, host: Host, node: str, lines: int, follow: bool) -> None:
    state = StateFolder(settings.state, network.name)
    try:
        far = deployment(state, network, lambda name, text: click.echo(f"{name}: {text}", err=True))
        for chunk in far.logs(host, node, lines=lines, follow=follow):
            click.echo(chunk, nl=False)
    finally:
        state.close()
