"""`coord boot`: from bare hosts, or from wherever it stopped, to a network with elected producers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from boot.plan import Plan
from boot.voting import wrong_election
from coordinator.advising import typed
from coordinator.engine.access import NodeAccess
from coordinator.engine.outcome import Booted, Outcome
from coordinator.engine.reasons import Reasons
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.hosts.local import agent_runs, last_words, stop_agent
from coordinator.parties.awaiting import await_parties, present
from coordinator.parties.neighbours import Linking, with_parties
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.pulse import Pulse
from coordinator.report.tracking import Tracking
from coordinator.report.watching import watching
from coordinator.reporter import Reporter
from coordinator.state.placements import Placements
from inventory.network import Network
from inventory.sealed import Sealed
from inventory.share import Seats
from support.endpoint import Endpoint
from support.tasks import looking

from .changing.catching_up import catch_up
from .changing.changes import Cost
from .changing.facts import facts_of
from .changing.producers import add_all, ensure_keys
from .changing.rolling import Rolling, apply
from .opening.aside import Aside
from .opening.session import DIAL_SECONDS, GLANCE_SECONDS, open_network
from .opening.unchanged import check_unchanged
from .serving.keep_agents import agents_kept, start_again
from .serving.serve import serving
from .starting.clocks import check_begun, check_clocks
from .starting.genesis_lost import restore_genesis
from .starting.holding import hold
from .starting.needs import check_needs
from .starting.restart import revive, wake
from .watching.measuring import measured
from .watching.page import Page
from .watching.pulses import pulsing
from .watching.why import RunningBoot

EVERYTHING = Rolling()

KILLED = "its agent has ended without a word"
"""It was killed: an agent that ends by itself says why."""

CRASHES = 3
"""How often a run starts over because a crashed node lost blocks."""


async def boot(
    network: Network,
    root: Path,
    plan: Plan,
    reporter: Reporter,
    then: Callable[[OpenNetwork, Booted], Awaitable[None]] | None = None,
    verbose: bool = False,
    rolling: Rolling = EVERYTHING,
    page: Page | None = None,
    metrics: Endpoint | None = None,
    beat: Callable[[Pulse], None] | None = None,
    aside: Aside | None = None,
) -> Booted:
    """Runs the plan, and makes the running network match the inventory. Raises CoordError and others.

    then: is called while the network is still open, for the summary. verbose: reports what each step waits for.
    rolling: how changes of the inventory are applied to running nodes. page: shows all of it meanwhile.
    metrics: where values for Prometheus are exported meanwhile. beat: receives the boot's pulse every second; None:
    nobody watches. aside: of a boot that serves in `then`.
    """
    rolling.check(network)
    reporter = tracking = Tracking(reporter)
    reasons = Reasons(lambda reason: reporter.note(reason.line())) if verbose else Reasons()
    async with (
        open_network(network, root, acting=True, aside="boot") as opened,
        pulsing(opened, plan, tracking.at_work, beat) as pulses,
        serving(opened, reporter.note, RunningBoot(reasons, tracking.at_work), pulses, aside),
        (page or Page()).shown(opened, reasons, tracking.at_work, reporter.note),
        measured(opened, metrics, reporter.note),
    ):
        check_unchanged(network, opened.state)
        check_needs(opened, plan)
        if network.parties.wait_for or opened.parties.parties():
            reporter.note(str(Seats.of(network)))
        hosts = Hosts(opened.network, opened.state, opened.hub, reporter)
        trouble = await hosts.check()
        started = await hosts.ensure_agents(without=trouble)
        with hosts.reached():
            sealed = await _sealed_or_stopped(opened, hosts.troubled, reporter)
            check_begun(sealed)
            async with agents_kept(opened, reporter):
                await hold(opened, sealed, reporter)
                await ensure_keys(opened)
                booted = await _run(opened, sealed, plan, rolling, hosts.troubled, reporter, reasons)
                booted = replace(booted, started=booted.started or started)
                Placements(opened.state.journal).remember(network)
                pulses.end()
                if then:
                    await then(opened, booted)
                return booted


async def _run(
    opened: OpenNetwork,
    sealed: Sealed,
    plan: Plan,
    rolling: Rolling,
    troubled: Mapping[str, str],
    reporter: Reporter,
    reasons: Reasons,
) -> Booted:
    """Starts what has stopped, applies changes of the inventory, and runs the plan on the sealed network."""
    whole = _with_parties(opened)
    access = opened.access.over(whole)
    runner = Runner(access, opened.blueprint(sealed, _of_boot(whole)), opened.state, reporter, reasons)
    started = await restore_genesis(access, runner, opened.state.steps(), reporter)
    started = await revive(access, runner, sealed, reporter) or started
    async with watching(access, reporter.note):
        changed = await _apply_edits(opened, access, runner, sealed, rolling, troubled, reporter)
        outcome = await run_through(runner, plan, reporter)
        if not outcome.failed and not outcome.parked and "resign" in plan.by_name:
            changed = bool(await add_all(opened, runner.nodes, reporter)) or changed
            await catch_up(access, reporter)
    return Booted(sealed, outcome, started or changed)


async def _apply_edits(
    opened: OpenNetwork,
    access: NodeAccess,
    runner: Runner,
    sealed: Sealed,
    rolling: Rolling,
    troubled: Mapping[str, str],
    reporter: Reporter,
) -> bool:
    """Applies changes of the inventory to running nodes. Returns whether anything had to be done."""
    parties = {party.name for party in opened.parties.parties()}
    facts = facts_of(opened.hub, parties, opened.party_endpoints)
    changes = facts.differences(opened.network)
    for change in rolling.chosen(changes):
        if facts.nodes and change.cost not in (Cost.START, Cost.AGENT):  # agents were told by now
            reporter.note(change.line())

    async def wakes() -> None:
        await wake(access, runner, sealed, reporter)

    return bool(await apply(access, runner.nodes, changes, rolling, reporter, wakes, troubled))


async def run_through(runner: Runner, plan: Plan, reporter: Reporter) -> Outcome:
    """Runs the plan, and again if a step failed because a crash lost blocks of earlier steps."""
    acted: list[str] = []
    for _ in range(CRASHES):
        outcome = await runner.run(plan.steps)
        acted += outcome.acted
        lost = await runner.lost(outcome) if outcome.failed else ()
        if not lost:
            break
        reporter.note(f"the chain has lost its last blocks, with {', '.join(lost)}: continuing from there")
    return replace(outcome, acted=list(dict.fromkeys(acted)))


async def _sealed_or_stopped(opened: OpenNetwork, troubled: Mapping[str, str], reporter: Reporter) -> Sealed:
    """As `_sealed`, but stops local agents if it fails before the seal."""
    try:
        return await _sealed(opened, troubled, reporter)
    except Exception:
        if opened.state.sealed is None:
            for host in opened.network.hosts:
                if host.local:
                    await asyncio.to_thread(stop_agent, opened.state.host_data(host.name))
        raise


async def _sealed(opened: OpenNetwork, troubled: Mapping[str, str], reporter: Reporter) -> Sealed:
    missing = await _missing(opened, troubled, reporter)
    sealed = opened.state.sealed
    reasons = "; ".join(f"{host}: {why}" for host, why in missing.items())
    if missing and sealed is None:
        raise OperationFailed(
            f"{reasons}. Until the network is sealed all hosts are needed, for their keys: fix this and run it again"
        )
    if opened.network.genesis_node.host in missing:
        log = typed("logs", f"agent@{opened.network.genesis_node.host}")
        raise OperationFailed(f"{reasons}; its log: {log}")
    for host, why in missing.items():
        reporter.note(f"{host}: {why}; the boot continues without it; to finish, run {typed('boot')} again")
        if host in opened.hub.links:
            opened.hub.links[host].do_without()
    if sealed:
        return sealed
    _check_unheld(opened)
    async with agents_kept(opened, reporter):
        return await _collected(opened, reporter)


async def _collected(opened: OpenNetwork, reporter: Reporter) -> Sealed:
    """Seals the network from the agents' answers."""
    from .starting.collect import (  # numpy takes 0.1 s to import, and only the seal needs it
        PartyKeys,
        collect,
    )

    parties = await await_parties(opened, reporter)
    reporter.note("collecting public keys and features")
    keys = {account: PartyKeys(str(one.account_key), str(one.signing_key)) for account, one in parties.items()}
    names = {*(node.host for node in opened.network.nodes), *(party.name for party in parties.values())}
    await check_clocks(opened.hub.links[name] for name in sorted(names))
    bundle = await collect(opened.network, opened.hub, keys)
    opened.state.seal(bundle.sealed, dict(bundle.artifacts))
    Placements(opened.state.journal).remember(opened.network)
    opened.state.inputs.rows_digest(opened.network.users)  # while the rows are in memory
    opened.hub.tell_seal()
    reporter.note(f"sealed: chain {bundle.sealed.chain_id}")
    reporter.note(f"     manifest {bundle.sealed.manifest}")
    for note in filter(None, (*bundle.notes, wrong_election(opened.blueprint(bundle.sealed)))):
        reporter.note(f"        {note}")
    return bundle.sealed


def _check_unheld(opened: OpenNetwork) -> None:
    """Raises OperationFailed if a host already holds a sealed network: a second seal would create another chain."""
    links = opened.hub.links.values()
    held = {link.name: link.manifest for link in links if link.manifest}
    holders = sorted(held.keys() & {host.name for host in opened.network.hosts})
    if holders:
        raise OperationFailed(
            f"{', '.join(holders)}: a network of this name is sealed there (manifest {held[holders[0]][:16]}…), and "
            f"may be running; run: {typed('adopt')}"
        )


async def _missing(opened: OpenNetwork, troubled: Mapping[str, str], reporter: Reporter) -> dict[str, str]:
    """Why agents are missing, by host. Agents of troubled hosts may still connect, but are waited for only briefly."""
    hosts = tuple(dict.fromkeys(node.host for node in opened.network.nodes))
    well = [host for host in hosts if host not in troubled]
    waited, glanced = await asyncio.gather(
        _connected(opened, well, reporter), opened.connected(set(hosts) - set(well), GLANCE_SECONDS)
    )
    return waited | {host: troubled[host] for host in hosts if host in glanced}


async def _connected(opened: OpenNetwork, hosts: Collection[str], reporter: Reporter) -> dict[str, str]:
    """As `OpenNetwork.connected`, but does not wait for a local agent that has exited.

    One that was killed, which leaves no word, is started once more.
    """
    near = {host.name: opened.state.host_data(host.name) for host in opened.network.hosts if host.local}
    again: set[str] = set()

    def ended() -> dict[str, str] | None:
        gone = (name for name in near.keys() & set(hosts) if not agent_runs(near[name]))
        return next(({name: _why_ended(near[name])} for name in gone), None)

    while True:
        missing = await looking(opened.connected(hosts, DIAL_SECONDS), ended)
        killed = {name for name, why in missing.items() if why == KILLED} - again
        if not killed:
            return missing
        for name in killed:
            await start_again(opened, name, reporter)
        again |= killed


def _why_ended(data: Path) -> str:
    words = last_words(data)
    return f"its agent has ended: {words}" if words else KILLED


def _with_parties(opened: OpenNetwork) -> Network:
    """The network with parties' nodes included, so that the operator's nodes dial them again."""
    store = opened.parties
    linking = Linking(opened.network, store.parties())
    for party in present(opened).values():
        if not party.neighbours:
            store.linked(party.name, linking.choose(party.name))
    return with_parties(opened.network, store.parties(), opened.network.parties.wait_for)


def _of_boot(whole: Network) -> Network:
    """The part of the network that the boot depends on. Late parties' nodes must not delay it."""
    awaited = whole.parties.wait_for
    return replace(whole, nodes=tuple(node for node in whole.nodes if not node.party or node.account in awaited))
