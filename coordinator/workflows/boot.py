"""`coord boot`: from bare hosts, or from wherever it stopped, to a network with elected producers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from boot.plan import Plan
from boot.steps import STEPS
from boot.voting import wrong_election
from coordinator.engine.access import NetworkDesk
from coordinator.engine.runner import Outcome, Runner
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.fleet import Hosts
from coordinator.hosts.local import agent_runs, last_words, stop_agent
from coordinator.parties.awaiting import await_parties, present
from coordinator.parties.neighbours import choose, with_parties
from coordinator.report.progress import Reporter
from coordinator.report.watching import watching
from coordinator.workflows.collect import PartyKeys, collect
from coordinator.workflows.local_agents import agents_kept
from coordinator.workflows.restart import revive
from coordinator.workflows.serve import serving
from coordinator.workflows.session import DIAL_SECONDS, GLANCE_SECONDS, Session, open_session
from inventory.compare import compare
from inventory.contract_files import read_own
from inventory.network import Network
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError
from support.tasks import looking

HOLD_SECONDS = 120.0
"""Enough to fetch contracts and a large allocation over a slow connection."""

CRASHES = 3
"""How often a run starts over because a crashed node lost blocks."""


@dataclass(frozen=True)
class Booted:
    """The result of a boot."""

    sealed: Sealed
    outcome: Outcome
    started: bool
    """Whether nodes or agents had to be started."""

    @property
    def changed(self) -> bool:
        """Whether this run did anything."""
        return self.started or bool(self.outcome.acted)


async def boot(
    network: Network,
    root: Path,
    plan: Plan,
    reporter: Reporter,
    then: Callable[[Session, Booted], Awaitable[None]] | None = None,
) -> Booted:
    """Runs the plan. `then` is called while the session is still open (for the summary). Raises CoordError and
    others."""
    async with open_session(network, root, acting=True) as session, serving(session, reporter.note):
        check_unchanged(network, session.state.sealed)
        check_needs(session, plan)
        hosts = Hosts(session, reporter)
        trouble = await hosts.check()
        started = await hosts.ensure_agents(without=trouble)
        with hosts.reached():
            sealed = await _sealed_or_stopped(session, hosts.troubled, reporter)
            async with agents_kept(session, reporter):
                await _hold(session, sealed)
                whole = _with_parties(session)
                desk = NetworkDesk(whole, session.hub)
                runner = Runner(desk, session.blueprint(sealed, _of_boot(whole)), session.state, reporter)
                started = await revive(desk, runner, sealed, reporter) or started
                async with watching(desk, reporter.note):
                    booted = Booted(sealed, await run_through(runner, plan, reporter), started)
                if then:
                    await then(session, booted)
                return booted


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


def check_unchanged(network: Network, sealed: Sealed | None) -> None:
    """Raises UsageProblem when the inventory differs from what was sealed."""
    if sealed is None:
        return
    boot_contract, own = read_own(network)
    if parts := compare(sealed, network, own, boot_contract):
        raise UsageProblem(
            f"{network.source}: {', '.join(parts)} can no longer change: the network is sealed (chain "
            f"{sealed.chain_id[:16]}…). Undo the edit, or start over with: coord down --purge {network.source}"
        )


def check_needs(session: Session, plan: Plan) -> None:
    """Raises UsageProblem for a single step (`--only`) if steps that it needs have not been done."""
    records = session.state.steps()
    lacking = [
        step.name
        for step in STEPS
        if step.name in plan.assumed and (step.name not in records or records[step.name].state != "done")
    ]
    if lacking:
        asked = plan.steps[0].name
        until = asked if asked in {step.name for step in STEPS} else lacking[-1]
        several = f"{lacking[0]} to {lacking[-1]}" if len(lacking) > 1 else lacking[0]
        raise UsageProblem(
            f"{asked} needs {several} done first; run: coord boot {session.network.source} --until {until}"
        )


async def _sealed_or_stopped(session: Session, troubled: Mapping[str, str], reporter: Reporter) -> Sealed:
    """As `_sealed`; if that fails before there is a sealed network, local agents are stopped."""
    try:
        return await _sealed(session, troubled, reporter)
    except Exception:
        if session.state.sealed is None:
            for host in session.network.hosts:
                if host.local:
                    await asyncio.to_thread(stop_agent, session.state.host_data(host.name))
        raise


async def _sealed(session: Session, troubled: Mapping[str, str], reporter: Reporter) -> Sealed:
    missing = await _missing(session, troubled)
    sealed = session.state.sealed
    reasons = "; ".join(f"{host}: {why}" for host, why in missing.items())
    if missing and sealed is None:
        raise OperationFailed(
            f"{reasons}. Until the network is sealed all hosts are needed, for their keys: fix this and run it again"
        )
    if session.network.genesis_node.host in missing:
        raise OperationFailed(f"{reasons}; see coord logs")
    for host, why in missing.items():
        reporter.note(f"{host}: {why}; the boot continues without it; run coord boot again to finish")
    if sealed:
        return sealed
    parties = await await_parties(session, reporter)
    reporter.note("collecting public keys and features")
    keys = {account: PartyKeys(str(one.account_key), str(one.signing_key)) for account, one in parties.items()}
    bundle = await collect(session.network, session.hub, keys)
    session.state.seal(bundle.sealed, dict(bundle.artifacts))
    session.hub.tell_seal()
    reporter.note(f"sealed: chain {bundle.sealed.chain_id}")
    reporter.note(f"        manifest {bundle.sealed.manifest}")
    for note in filter(None, (*bundle.notes, wrong_election(session.blueprint(bundle.sealed)))):
        reporter.note(f"        {note}")
    return bundle.sealed


async def _missing(session: Session, troubled: Mapping[str, str]) -> dict[str, str]:
    """Why agents are missing, by host. Agents of hosts in trouble may still connect, but are hardly waited for."""
    hosts = tuple(dict.fromkeys(node.host for node in session.network.nodes))
    well = [host for host in hosts if host not in troubled]
    waited, glanced = await asyncio.gather(
        _connected(session, well), session.connected(set(hosts) - set(well), GLANCE_SECONDS)
    )
    return waited | {host: troubled[host] for host in hosts if host in glanced}


async def _connected(session: Session, hosts: Collection[str]) -> dict[str, str]:
    """As `Session.connected`, but does not wait for a local agent that has ended."""
    near = {host.name: session.state.host_data(host.name) for host in session.network.hosts if host.local}

    def ended() -> dict[str, str] | None:
        gone = (name for name in near.keys() & set(hosts) if not agent_runs(near[name]))
        return next(({name: f"its agent has ended: {last_words(near[name]) or 'see its log'}"} for name in gone), None)

    return await looking(session.connected(hosts, DIAL_SECONDS), ended)


def _with_parties(session: Session) -> Network:
    """The network with parties' nodes included, so that the operator's nodes dial them again."""
    book = session.hub.book
    for party in present(session).values():
        if not party.neighbours:
            book.linked(party.name, choose(session.network, book.parties(), party.name))
    return with_parties(session.network, book.parties(), session.network.parties.wait_for)


def _of_boot(whole: Network) -> Network:
    """The part of the network that the boot depends on: late parties' nodes must not hold it up."""
    awaited = whole.parties.wait_for
    return replace(whole, nodes=tuple(node for node in whole.nodes if not node.party or node.account in awaited))


async def _hold(session: Session, sealed: Sealed) -> None:
    """Has the connected agents of hosts, and of parties that were waited for, take the sealed network."""
    names = {host.name for host in session.network.hosts} | {party.name for party in present(session).values()}
    links = [link for link in session.hub.links.values() if link.connected and link.name in names]
    body = pb.Hold(sha256=sealed.manifest)
    results = await asyncio.gather(*(link.task(body, deadline=HOLD_SECONDS) for link in links), return_exceptions=True)
    for link, result in zip(links, results, strict=True):
        if isinstance(result, DeadlineError):
            raise OperationFailed(str(result))
        if isinstance(result, BaseException):
            raise result
        if not result.ok:
            raise OperationFailed(f"{link.name}: {result.error}")
