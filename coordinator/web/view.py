"""Builds the public view from what the coordinator knows. Pure; `model` says what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antelope.elections import BLOCKS_PER_TURN, MIN_ACTIVATED_STAKE
from boot.plan import make_plan
from boot.steps import steps_of
from coordinator.engine.executor import StepState as Doing
from coordinator.engine.reasons import Reason
from coordinator.parties.attestations import Attestation
from coordinator.parties.store import Attested, Party, Standing
from coordinator.report.peer_graph import Drawing, degrees
from coordinator.report.rounds import Seat
from coordinator.report.status import CONNECTED, UNKNOWN, HostRow, NetworkStatus, NodeRow, Phase
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from coordinator.web import model
from coordinator.web.model import ShownState
from inventory.network import Network
from protos.states import NodeState

if TYPE_CHECKING:  # it imports numpy
    from coordinator.report.distribution import Distribution

NOTHING_DRAWN = Drawing((), ())
_RESULTS = {
    StepResult.DONE: ShownState.DONE,
    StepResult.ALREADY: ShownState.DONE,
    StepResult.FAILED: ShownState.FAILED,
    StepResult.WAITS: ShownState.WAITS,
}
_DOING = {
    Doing.PENDING: ShownState.PENDING,
    Doing.CHECKING: ShownState.RUNNING,
    Doing.RUNNING: ShownState.RUNNING,
    Doing.DONE: ShownState.DONE,
    Doing.PARKED: ShownState.WAITS,
    Doing.FAILED: ShownState.FAILED,
}


@dataclass(frozen=True)
class Votes:
    """The votes, according to the system contract."""

    activated: int
    """Stake that has voted, in the smallest unit."""
    candidates: tuple[tuple[str, float], ...]
    """Registered producers with their share of all votes, most votes first."""
    threshold: bool = True
    """Whether the contract waits for MIN_ACTIVATED_STAKE, as most do; the bundled one elects after the first vote."""


@dataclass(frozen=True)
class PageFacts:
    """All facts that the page is built from."""

    network: Network
    status: NetworkStatus
    now: float
    """Unix seconds."""
    reasons: tuple[Reason, ...] = ()
    """What the steps of a running boot wait for."""
    progress: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Pieces done and in total, by step."""
    seats: tuple[Seat, ...] = ()
    next: tuple[str, ...] = ()
    votes: Votes | None = None
    drawing: Drawing = NOTHING_DRAWN
    distribution: Distribution | None = None
    attested: Mapping[str, tuple[Attested, Attestation]] = field(default_factory=dict)
    """By party: the attestation and what checking it gave."""
    members: tuple[int, int] = (0, 0)
    """How many parties attest that the chain is as sealed, and how many could."""


def public_view(facts: PageFacts) -> model.PublicView:
    """The whole view."""
    status = facts.status
    steps = tuple(_steps(facts))
    return model.PublicView(
        network=_network(facts, steps),
        chain=model.PublicChain(
            status.head, status.lib, None if status.head_age is None else round(status.head_age, 1), status.stands,
            round(facts.now, 1),
        ),
        steps=steps,
        hosts=tuple(_host(host, status.nodes) for host in status.hosts),
        nodes=tuple(_node(node) for node in status.nodes),
        parties=_parties(status),
        graph=_graph(facts.drawing),
        votes=_votes(facts.votes, status.schedule),
        schedule=model.PublicSchedule(
            BLOCKS_PER_TURN,
            tuple(model.PublicSeat(seat.account, str(seat.state), seat.made, seat.absent) for seat in facts.seats),
            facts.next,
        ),
        allocation=_allocation(facts.distribution),
        attestations=model.PublicAttestations(tuple(_attestations(facts)), *facts.members),
    )  # fmt: skip


def _network(facts: PageFacts, steps: Collection[model.PublicStep]) -> model.PublicNetwork:
    status, symbol = facts.status, facts.network.symbol
    ended = sum(step.state is ShownState.DONE for step in steps)
    begins = status.phase == Phase.DOWN and any(step.state is ShownState.RUNNING for step in steps)
    phase = Phase.BOOTING if begins else status.phase
    return model.PublicNetwork(
        status.network, str(phase), status.chain_id or "", status.manifest or "", symbol.code, symbol.precision,
        ended, len(steps),
    )  # fmt: skip


def _steps(facts: PageFacts) -> Iterator[model.PublicStep]:
    known = _names(facts)
    reasons = {reason.step: reason for reason in facts.reasons}
    for step in make_plan(steps_of(facts.network)).steps:
        record, reason = facts.status.steps.get(step.name), reasons.get(step.name)
        state = _state(record, reason)
        busy = state is ShownState.RUNNING and reason is not None
        on = reason.on if reason else ()
        named = tuple(name for name in on if name in known)[: model.FIRST_NAMES] if busy else ()
        at_work = reason is not None and reason.state == Doing.RUNNING.value
        done, total = facts.progress.get(step.name, (0, 0)) if busy else (0, 0)
        yield model.PublicStep(
            name=step.name,
            title=step.title,
            state=state,
            seconds=round(record.seconds, 1) if record and state is not ShownState.RUNNING else 0.0,
            began=round(facts.now - reason.seconds) if busy and reason else None,
            transactions=record.transactions if record else 0,
            done=done,
            total=total,
            after=on if state is ShownState.PENDING else (),
            on=named if at_work else (),
            waits_for=() if at_work else named,
            left=len(on) if busy else 0,
        )


def _state(record: StepRecord | None, reason: Reason | None) -> ShownState:
    """The state in the running boot takes precedence over the recorded one, except for done steps: every run checks
    those again.
    """
    doing = Doing(reason.state) if reason else None
    if record and record.done and doing is not Doing.RUNNING:
        return ShownState.DONE
    if doing is not None:
        return _DOING[doing]
    return _RESULTS[record.result] if record else ShownState.PENDING


def _names(facts: PageFacts) -> frozenset[str]:
    """The names that may be published: those of hosts, nodes, producers and parties."""
    status = facts.status
    nodes = (name for node in status.nodes for name in (node.name, node.account))
    parties = (name for party in status.parties for name in (party.name, party.account))
    return frozenset({*(host.name for host in status.hosts), *nodes, *parties} - {""})


def _host(host: HostRow, nodes: Sequence[NodeRow]) -> model.PublicHost:
    states = Counter(node.state for node in nodes if node.host == host.name)
    return model.PublicHost(host.name, host.agent == CONNECTED, states.total(), states[NodeState.RUNNING])


def _node(node: NodeRow) -> model.PublicNode:
    state = node.state if node.state in tuple(NodeState) else UNKNOWN  # an agent may say anything
    return model.PublicNode(node.name, node.host, node.account, node.role, state, node.head, node.lib, node.peers)


def _parties(status: NetworkStatus) -> model.PublicParties:
    seats = model.PublicSeats(status.seats.taken, status.seats.most) if status.seats else None
    shown = (party for party in status.parties if party.state is not Standing.LEFT)
    return model.PublicParties(tuple(_party(party) for party in shown), seats)


def _party(party: Party) -> model.PublicParty:
    return model.PublicParty(party.name, party.account, str(party.state), round(party.since))


def _graph(drawing: Drawing) -> model.PublicGraph:
    number = {place.name: index for index, place in enumerate(drawing.places)}
    links = degrees(drawing)
    return model.PublicGraph(
        tuple(
            model.PublicPlace(place.name, place.kind, place.x, place.y, links[place.name]) for place in drawing.places
        ),
        tuple((number[first], number[second]) for first, second in drawing.links),
    )


def _votes(votes: Votes | None, schedule: Collection[str]) -> model.PublicVotes | None:
    if votes is None:
        return None
    candidates = (
        model.PublicCandidate(account, round(share, 4), account in schedule) for account, share in votes.candidates
    )
    return model.PublicVotes(votes.activated, MIN_ACTIVATED_STAKE, votes.threshold, tuple(candidates))


def _allocation(found: Distribution | None) -> model.PublicAllocation | None:
    if found is None:
        return None
    top = tuple(model.PublicHolder(holder.account, holder.balance) for holder in found.top)
    return model.PublicAllocation(
        found.accounts, found.total, found.median, round(found.gini, 4), round(found.richest, 4), found.curve, top
    )


def _attestations(facts: PageFacts) -> Iterator[model.PublicAttestation]:
    for name, (attested, checked) in sorted(facts.attested.items(), key=lambda one: one[1][0].at):
        yield model.PublicAttestation(
            name, attested.account, not checked.wrong, checked.ok, checked.block, round(attested.at), checked.replaced
        )
