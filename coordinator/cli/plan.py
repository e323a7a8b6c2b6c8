"""`coord plan`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import click

from boot.plan import make_plan
from boot.step import ChainStep, NodeStep
from boot.steps import steps_of
from coordinator.advising import typed
from coordinator.cli.fit import say
from coordinator.cli.options import Proof, Settings, json_option, proved_inventory_argument
from coordinator.engine.beginnings import Chosen
from coordinator.engine.beginnings import foresee as foresee_beginnings
from coordinator.engine.pausing import paused_line
from coordinator.engine.runbook import runbook
from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from coordinator.workflows.changing.changes import Change, Cost, summary
from coordinator.workflows.changing.facts import look_around
from coordinator.workflows.opening.unchanged import sealed_edits
from coordinator.workflows.starting.foresee import Foreseen, foresee
from inventory.network import Network, Users, UserSource
from inventory.rows import Allocation
from inventory.share import Seats
from inventory.topology import dot

DIFFERENT = 3
"""Exit status of `--check` if what runs differs from the inventory."""


@click.command("plan")
@proved_inventory_argument(Proof.ALWAYS)
@click.option("--cleos", is_flag=True, help="Print the boot as a shell script; sealed networks only.")
@click.option("--graph", is_flag=True, help="Show the peer graph in Graphviz's DOT format.")
@click.option("--allocation", is_flag=True, help="Show the sealed allocation as CSV, amounts in the smallest unit.")
@click.option("--check", is_flag=True, help="Exit with status 3 if what runs differs from the inventory.")
@json_option
@click.pass_obj
def command(
    settings: Settings, network: Network, cleos: bool, graph: bool, allocation: bool, check: bool, as_json: bool
) -> int:
    """Shows what a boot would do: its steps, which of them are done, and where each contract comes from. Also shows how
    what runs differs from the inventory, and the cost of applying that. Changes nothing.

    \b
    coord plan inventory/devnet.toml
    coord plan inventory/testnet.toml --check
    coord plan inventory/devnet.toml --graph | dot -Tsvg > peers.svg
    """
    if cleos + graph + allocation + as_json > 1:
        raise click.UsageError("--cleos, --graph, --allocation and --json cannot be used together")
    if graph:
        click.echo(dot(network), nl=False)
        return 0
    state = StateFolder(settings.state, network.name) if StateFolder.exists(settings.state, network.name) else None
    try:
        if allocation:
            for line in _allocation(network, state):
                click.echo(line)
            return 0
        if cleos:
            for line in runbook(network, state):
                click.echo(line)
            return 0
        done = {name: record.done for name, record in state.steps().items()} if state else {}
        sealed = state.sealed if state else None
    finally:
        if state:
            state.close()
    foreseen = foresee(network, sealed, lambda line: click.echo(line, err=True))
    edited = _edited(settings, network) if foreseen.sealed else Edited()
    begun = done.get("producer-nodes", False)
    beginning = foresee_beginnings(network, edited.started if begun else None)
    if as_json:
        click.echo(json.dumps(_document(network, done, foreseen, beginning) | edited.to_json(), indent=2))
    else:
        say((*_text(network, done, foreseen, beginning), *edited.lines()))
    return DIFFERENT if check and edited.different else 0


@dataclass(frozen=True)
class Edited:
    """How the inventory differs from what runs."""

    sealed: tuple[str, ...] = ()
    """Edits of sealed sections, which can no longer change, each with a hint."""
    changes: tuple[Change, ...] = ()
    away: tuple[str, ...] = ()
    """Enrolled hosts that could not be asked."""
    missing: tuple[str, ...] = ()
    """Those of them that the inventory lists, while others answer."""
    syncing: tuple[str, ...] = ()
    """A line for each node that runs and does not have the newest blocks yet."""
    lost_keys: tuple[str, ...] = ()
    """A line for each key file of a host that is gone while its nodes run."""
    paused: tuple[str, ...] = ()
    """Producers' nodes that run and make no blocks, because somebody paused them."""

    @property
    def started(self) -> tuple[str, ...]:
        """Nodes that a boot starts for the first time."""
        return tuple(change.node for change in self.changes if change.cost is Cost.START and change.part == "node")

    @property
    def different(self) -> bool:
        """Whether there is any difference."""
        return bool(self.sealed or self.changes)

    def lines(self) -> Iterator[str]:
        """The differences as text."""
        if self.different:
            yield "what runs differs from this inventory:"
            yield from (f"  ! {edit}" for edit in self.sealed)
            yield from (f"  {change.line()}" for change in self.changes)
            if self.sealed:
                yield f"  {typed('boot')} refuses this file, and applies nothing, until what is marked ! is undone"
            elif cost := summary(self.changes):
                by_hand = all(change.cost is Cost.BY_HAND for change in self.changes)
                yield f"  {typed('boot')} {'leaves it' if by_hand else 'applies it'}: {cost}"
        yield from self.syncing
        yield from self.lost_keys
        yield from map(paused_line, self.paused)
        if self.away:
            yield f"unknown what runs on {', '.join(self.away)}: no agent answers there"
        if self.missing:
            yield f"if such a machine is dead, another one takes its place: {typed('host', 'replace', self.missing[0])}"

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        changes = [change.to_json() for change in self.changes]
        return {
            "differences": changes, "sealed_edits": list(self.sealed), "unknown_hosts": list(self.away),
            "syncing": list(self.syncing), "lost_keys": list(self.lost_keys), "paused": list(self.paused),
        }  # fmt: skip


def _edited(settings: Settings, network: Network) -> Edited:
    with closing(StateFolder(settings.state, network.name)) as state:
        sealed = sealed_edits(network, state)
    facts = asyncio.run(look_around(network, settings.state))
    away = tuple(sorted(facts.away))
    missing = tuple(host.name for host in network.hosts if host.name in away) if facts.agents else ()
    return Edited(sealed, facts.differences(network), away, missing, facts.syncing, facts.lost_keys, facts.paused)


def _allocation(network: Network, state: StateFolder | None) -> Iterator[str]:
    """The sealed rows as text. Raises OperationFailed before the seal."""
    sealed = state.sealed if state else None
    if state is None or sealed is None:
        raise OperationFailed(f"{network.name} is not sealed yet: run {typed('boot', '--until', 'genesis')}")
    yield "account,public key,ram,net,cpu,liquid"
    for row in Allocation(state.artifacts.get(sealed.allocation)):
        yield f"{row.account},{row.key},{row.ram},{row.net},{row.cpu},{row.liquid}"


def _document(network: Network, done: Mapping[str, bool], foreseen: Foreseen, beginning: Chosen) -> dict[str, Any]:
    steps = make_plan(steps_of(network)).steps
    return {
        "network": network.name,
        "contracts": [origin.to_json() for origin in foreseen.origins],
        "notes": list(foreseen.notes),
        "metrics": {host.name: host.metrics for host in network.hosts if host.metrics},
        "raised_limits": asdict(foreseen.limits) if foreseen.limits else None,
        "snapshots": {"nodes": list(beginning.with_snapshot), "reason": beginning.reason},
        "steps": [
            {"name": step.name, "title": step.title, "after": list(step.after), "done": done.get(step.name, False)}
            for step in steps
        ],
    }


def _text(network: Network, done: Mapping[str, bool], foreseen: Foreseen, beginning: Chosen) -> Iterator[str]:
    counts = f"{len(network.hosts)} host(s), {len(network.nodes)} nodes"
    elected = f"{len(network.elected)} of {len(network.producers)} producers to elect"
    yield f"network {network.name}: {counts}, {elected}, {_users(network.users)}"
    if network.parties.vote or network.parties.wait_for:
        yield str(Seats.of(network))
    for step in make_plan(steps_of(network)).steps:
        kind = "nodes" if isinstance(step, NodeStep) else "chain" if isinstance(step, ChainStep) else "wait"
        yield f"  [{'x' if done.get(step.name) else ' '}] {step.name:16} {kind:6} {step.title}"
    if limits := foreseen.limits:
        yield (
            f"while the accounts are created, blocks may hold {limits.block_net} bytes and {limits.block_cpu} µs of CPU"
            "; the same step restores the genesis' limits (genesis.raise_limits)"
        )
    if beginning.reason:
        yield beginning.reason
    if exporting := [f"{host.name} {host.metrics}" for host in network.hosts if host.metrics]:
        yield f"agents export metrics: {', '.join(exporting)}"
    if foreseen.origins:
        yield f"contracts, with the sha256 of their code{', as sealed' if foreseen.sealed else ''}"
    for origin in foreseen.origins:
        yield f"  {origin.account:12} {origin.wasm}  {origin.source}{f', {origin.purpose}' if origin.purpose else ''}"
    yield from (f"note: {note}" for note in foreseen.notes)


def _users(users: Users) -> str:
    """How many users, as far as known: the keys in an accounts.json are never read here."""
    if users.source is not UserSource.ACCOUNTS_JSON:
        return f"{users.number} users"
    return f"{f'the first {users.count}' if users.count else 'all'} users of {users.file}"
