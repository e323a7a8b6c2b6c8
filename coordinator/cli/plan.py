"""`coord plan`."""

from __future__ import annotations

import json

import click

from boot.plan import make_plan
from boot.step import ChainStep, NodeStep
from boot.steps import STEPS
from coordinator.cli.options import Settings, inventory_argument, json_option
from coordinator.engine.dry_run import cleos_plan
from coordinator.state.folder import StateFolder
from inventory.network import Network
from inventory.topology import dot


@click.command("plan")
@inventory_argument
@click.option("--cleos", is_flag=True, help="Show the cleos commands that do the same (once the network is sealed).")
@click.option("--graph", is_flag=True, help="Show the peer graph in Graphviz's DOT format.")
@json_option
@click.pass_obj
def command(settings: Settings, network: Network, cleos: bool, graph: bool, as_json: bool) -> None:
    """Shows what a boot would do, step by step, and which steps are done. Changes nothing.

    \b
    coord plan inventory/devnet.toml
    coord plan inventory/devnet.toml --graph | dot -Tsvg > peers.svg
    """
    if cleos + graph + as_json > 1:
        raise click.UsageError("--cleos, --graph and --json cannot be used together")
    if graph:
        click.echo(dot(network), nl=False)
        return
    state = StateFolder(settings.state, network.name) if StateFolder.exists(settings.state, network.name) else None
    try:
        if cleos:
            for line in cleos_plan(network, state):
                click.echo(line)
            return
        done = {name: record.done for name, record in state.steps().items()} if state else {}
    finally:
        if state:
            state.close()
    steps = make_plan(STEPS).steps
    if as_json:
        rows = [
            {"name": step.name, "title": step.title, "after": list(step.after), "done": done.get(step.name, False)}
            for step in steps
        ]
        click.echo(json.dumps({"network": network.name, "steps": rows}, indent=2))
        return
    click.echo(f"network {network.name}: {len(network.hosts)} host(s), {len(network.nodes)} nodes, ", nl=False)
    click.echo(f"{len(network.elected)} of {len(network.producers)} producers to elect, {network.users.number} users")
    for step in steps:
        kind = "nodes" if isinstance(step, NodeStep) else "chain" if isinstance(step, ChainStep) else "wait"
        click.echo(f"  [{'x' if done.get(step.name) else ' '}] {step.name:16} {kind:6} {step.title}")
