"""Networks of many shapes, as the page is sent them: scripted, without hosts, chain or clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from antelope.elections import BLOCKS_PER_TURN, MIN_ACTIVATED_STAKE
from boot.steps import STEPS
from coordinator.parties.store import Standing
from coordinator.report.distribution import distribution
from coordinator.report.peer_graph import PARTY, Member, degrees, draw
from coordinator.web.model import (
    PublicAllocation,
    PublicAttestation,
    PublicAttestations,
    PublicCandidate,
    PublicChain,
    PublicEvent,
    PublicGraph,
    PublicHolder,
    PublicHost,
    PublicLag,
    PublicNetwork,
    PublicNode,
    PublicParties,
    PublicParty,
    PublicPlace,
    PublicSchedule,
    PublicSeat,
    PublicSeats,
    PublicStep,
    PublicView,
    PublicVotes,
    ShownState,
    Tone,
)
from coordinator.web.store import Store
from inventory.distribution import pareto
from inventory.names import producer_name
from tests.unit.coordinator.report.test_distribution import allocation

NOW = 1_795_900_000.0
STAGES = [state for state in Standing if state is not Standing.LEFT]


def steps(ended: int, running: int = 0, state: ShownState = ShownState.RUNNING) -> tuple[PublicStep, ...]:
    """The boot's steps: this many are done, the next ones at work (or in that state), the others pending."""
    made = []
    for number, step in enumerate(STEPS):
        base = PublicStep(step.name, step.title, ShownState.PENDING, 0.0, None, 0, 0, 0, step.after[-1:], (), (), 0)
        if number < ended:
            base = replace(base, state=ShownState.DONE, seconds=0.4 + number * 1.3, transactions=number % 4, after=())
        elif number < ended + running:
            base = replace(base, state=state, after=())
            if state is ShownState.RUNNING:
                base = replace(base, began=NOW - 23, done=1203, total=3000, on=("h1",), left=1)
        made.append(base)
    return tuple(made)


def seats(
    number: int, now: int = 0, absent: tuple[int, ...] = (), unknown: tuple[int, ...] = ()
) -> tuple[PublicSeat, ...]:
    """A schedule of this many producers."""

    def seat(at: int) -> PublicSeat:
        name = producer_name(at)
        if at in absent:
            return PublicSeat(name, "missed", 0, True)
        if at in unknown:
            return PublicSeat(name, "unknown", 0, False)
        return PublicSeat(name, "now", 7, False) if at == now else PublicSeat(name, "signed", 12 - at % 5 // 4, False)

    return tuple(seat(at) for at in range(number))


def graph(own: int, parties: int, peers: int = 4) -> tuple[tuple[Member, ...], PublicGraph]:
    """The operator's nodes and parties around them, each linked with a few."""

    def linked(at: int) -> tuple[str, ...]:
        offsets = [sign * step for step in range(1, peers // 2 + 1) for sign in (-1, 1)]
        return tuple(name(at + offset) for offset in offsets)

    def name(at: int) -> str:
        return "genesis" if at % own == 0 else producer_name(at % own - 1)

    members = [Member(name(at), f"h{at % 7}", "producer" if at else "genesis", linked(at)) for at in range(own)]
    members += [Member(f"party{at:04}", "", PARTY, (name(at), name(at * 3 + 1))) for at in range(parties)]
    drawing = draw(members)
    number = {place.name: at for at, place in enumerate(drawing.places)}
    links = degrees(drawing)
    return tuple(members), PublicGraph(
        tuple(PublicPlace(place.name, place.kind, place.x, place.y, links[place.name]) for place in drawing.places),
        tuple((number[a], number[b]) for a, b in drawing.links),
    )


def shares(accounts: int) -> PublicAllocation:
    """A Pareto distribution, as the tutorial's."""
    found = distribution(allocation(*pareto([10_000] * accounts, 9_990_000_000_000, 1161, 1.161)))
    return PublicAllocation(
        found.accounts, found.total, found.median, round(found.gini, 4), round(found.richest, 4), found.curve,
        tuple(PublicHolder(one.account, one.balance) for one in found.top),
    )  # fmt: skip


def network(producers: int = 4, hosts: int = 1, parties: int = 0, users: int = 100) -> PublicView:
    """A network that is live and well."""
    members, drawn = graph(producers + 1, parties)
    nodes = tuple(
        PublicNode(one.name, f"h{number % hosts + 1}", "eosio" if one.kind == "genesis" else one.name, one.kind,
                   "running", 48_211, 48_163, 4)
        for number, one in enumerate(members) if one.kind != PARTY
    )  # fmt: skip
    joined = tuple(
        PublicParty(f"party{at:04}", f"party{at:04}", str(STAGES[at % len(STAGES)]), NOW - 60 * at)
        for at in range(parties)
    )
    attested = tuple(
        PublicAttestation(one.name, one.account, True, True, 47_900 + at, NOW - 600 + at, ())
        for at, one in enumerate(joined) if one.state == Standing.PRODUCING
    )  # fmt: skip
    candidates = tuple(
        PublicCandidate(producer_name(at), round(1.6 / (producers + at), 4), at < min(producers, 21))
        for at in range(producers + producers // 3)
    )
    return PublicView(
        network=PublicNetwork("tutorial", "live", "4f" * 32, "a7" * 32, "SYS", 4, len(STEPS), len(STEPS)),
        chain=PublicChain(48_211, 48_163, 0.3, False, NOW),
        steps=steps(len(STEPS)),
        hosts=tuple(
            PublicHost(f"h{at + 1}", True, sum(node.host == f"h{at + 1}" for node in nodes), 1) for at in range(hosts)
        ),
        nodes=nodes,
        parties=PublicParties(joined, PublicSeats(len(attested), 10) if joined else None),
        graph=drawn,
        votes=PublicVotes(3_125_004_110_000, MIN_ACTIVATED_STAKE, True, candidates),
        schedule=PublicSchedule(BLOCKS_PER_TURN, seats(min(producers, 21), now=2), ()),
        allocation=shares(users),
        attestations=PublicAttestations(attested, len(attested), len(joined)),
    )


def booting() -> PublicView:
    """In the middle of a boot, with a party that waits."""
    whole = network(parties=3)
    idle = tuple(replace(one, state="stopped", head=0, lib=0, peers=0) for one in whole.nodes[1:])
    nodes = (replace(whole.nodes[0], head=212, lib=209, peers=0), *idle)
    return replace(
        whole,
        network=replace(whole.network, phase="booting", ended=10),
        chain=PublicChain(212, 209, 0.4, False, NOW),
        steps=steps(10, 1),
        nodes=nodes,
        votes=PublicVotes(412_000_000_000, MIN_ACTIVATED_STAKE, True, whole.votes.candidates if whole.votes else ()),
        schedule=PublicSchedule(BLOCKS_PER_TURN, (PublicSeat("eosio", "now", 5, False),), ()),
        attestations=PublicAttestations((), 0, 3),
        parties=replace(whole.parties, parties=tuple(replace(one, state=str(state)) for one, state in zip(
            whole.parties.parties, (Standing.SYNCED, Standing.FOLLOWING, Standing.JOINED), strict=True))),
    )  # fmt: skip


def planned() -> PublicView:
    """Nothing is there yet."""
    whole = network()
    return replace(
        whole,
        network=replace(whole.network, phase="planned", chain_id="", manifest="", ended=0),
        chain=PublicChain(0, 0, None, False, NOW),
        steps=steps(0),
        hosts=tuple(replace(host, connected=False, running=0) for host in whole.hosts),
        nodes=tuple(replace(node, state="stopped", head=0, lib=0, peers=0) for node in whole.nodes),
        votes=None,
        schedule=PublicSchedule(BLOCKS_PER_TURN, (), ()),
        allocation=None,
    )


def nothing() -> PublicView:
    """Not one of anything."""
    return replace(
        planned(), steps=(), hosts=(), nodes=(), graph=PublicGraph((), ()),
        network=PublicNetwork("zero", "unknown", "", "", "SYS", 4, 0, 0),
        votes=PublicVotes(0, MIN_ACTIVATED_STAKE, False, ()),
        allocation=PublicAllocation(0, 0, 0, 0.0, 0.0, ((0.0, 0.0), (1.0, 1.0)), ()),
    )  # fmt: skip


def stalled() -> PublicView:
    """Seven of 21 are gone."""
    whole = network(21, 21)
    lost = range(14, 21)
    return replace(
        whole,
        network=replace(whole.network, phase="stalled"),
        chain=PublicChain(48_211, 47_800, 312.4, True, NOW),
        hosts=tuple(replace(host, connected=at not in lost) for at, host in enumerate(whole.hosts)),
        nodes=tuple(replace(node, state="unknown" if at in lost else "running") for at, node in enumerate(whole.nodes)),
        schedule=PublicSchedule(BLOCKS_PER_TURN, seats(21, now=3, absent=tuple(lost), unknown=(9,)), ()),
    )


def two_schedules() -> PublicView:
    """A new schedule is proposed while an old one signs, and one of the old one does not."""
    whole = network(21, 60)
    coming = tuple(producer_name(at) for at in range(3, 24))
    return replace(whole, schedule=PublicSchedule(BLOCKS_PER_TURN, seats(21, now=20, absent=(4,)), coming))


def failed() -> PublicView:
    """A step has failed, a host is away, an attestation is bad."""
    whole = network(4, 5, parties=4)
    return replace(
        whole,
        network=replace(whole.network, phase="booting", ended=11),
        steps=steps(11, 1, ShownState.FAILED),
        hosts=(replace(whole.hosts[0], connected=False), *whole.hosts[1:]),
        nodes=(replace(whole.nodes[0], state="failed"), *whole.nodes[1:]),
        attestations=PublicAttestations(
            (PublicAttestation("party0000", "party0000", True, False, 120, NOW, ()),
             PublicAttestation("party0001", "party0001", False, False, 0, NOW, ()),
             PublicAttestation("party0002", "party0002", True, True, 130, NOW, ("eosio.token",))), 1, 4),
    )  # fmt: skip


SHAPES: dict[str, Callable[[], PublicView]] = {
    "live": network,
    "booting": booting,
    "planned": planned,
    "nothing": nothing,
    "stalled": stalled,
    "two-schedules": two_schedules,
    "failed": failed,
    "large": lambda: network(30, 60, parties=1000, users=3000),
}


def events(number: int) -> Iterator[PublicEvent]:
    """Some that were told."""
    texts = itertools.cycle((
        (Tone.PLAIN, "Step accounts has begun: create the staked accounts."),
        (Tone.GOOD, "Step accounts is done: 23.1 s, 101 transactions."),
        (Tone.BAD, "defproducerd missed its turn."),
        (Tone.GOOD, "A new schedule is active: defproducera, defproducerb, defproducerc and 18 more."),
        (Tone.PLAIN, "Party alice: dialled back."),
    ))  # fmt: skip
    for at, (tone, text) in zip(range(number), texts, strict=False):
        yield PublicEvent(NOW - 7 * (number - at), tone, text.replace("alice", f"alice{at}"))


def filled(view: PublicView, points: int = 600) -> Store:
    """A store with this view, a history of events, and of the lag."""
    store = Store()
    if view.chain.head:
        for at in range(points):
            blocks = round(42 + 14 * math.sin(at / 9) + (70 if 300 < at < 340 else 0))
            store.update(view, (), PublicLag(NOW - points + at, blocks, view.chain.head - 2 * (points - at)))
        store.update(view, events(40))
    else:
        store.update(view)
    return store
