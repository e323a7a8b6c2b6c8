"""What happened between two looks, as sentences. Pure: made from the public views alone, so that nothing else leaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from coordinator.web.model import PublicEvent, PublicStep, PublicView, ShownState, Tone

FEW = 3
"""Up to this many events of a kind get a sentence each; more of them share one."""
_PHASES = {
    "planned": (Tone.PLAIN, "The network is planned, and not sealed yet."),
    "booting": (Tone.PLAIN, "The boot is under way."),
    "voting": (Tone.PLAIN, "The boot waits for votes."),
    "live": (Tone.GOOD, "The network is live."),
    "stalled": (Tone.BAD, "The chain has stalled: no new blocks."),
    "down": (Tone.BAD, "No node runs."),
    "unknown": (Tone.BAD, "Nobody answers: the state of the chain is unknown."),
}
Said = tuple[Tone, str]


def events(before: PublicView, after: PublicView) -> tuple[PublicEvent, ...]:
    """Everything that changed, in the order of cause and effect."""
    said = (
        *_network(before, after),
        *_hosts(before, after),
        *_nodes(before, after),
        *_steps(before.steps, after.steps),
        *_votes(before, after),
        *_schedule(before, after),
        *_parties(before, after),
        *_attestations(before, after),
        *_phase(before, after),
    )
    return tuple(PublicEvent(after.chain.time, tone, text) for tone, text in said)


def _phase(before: PublicView, after: PublicView) -> Iterator[Said]:
    if before.network.phase != after.network.phase:
        yield _PHASES[after.network.phase]


def _network(before: PublicView, after: PublicView) -> Iterator[Said]:
    if after.network.manifest and not before.network.manifest:
        yield Tone.PLAIN, f"The network is sealed: manifest {after.network.manifest[:16]}…"


def _steps(before: Sequence[PublicStep], after: Sequence[PublicStep]) -> Iterator[Said]:
    known = {step.name: step.state for step in before}
    for step in after:
        if known.get(step.name) is step.state:
            continue
        match step.state:
            case ShownState.RUNNING:
                yield Tone.PLAIN, f"Step {step.name} has begun: {step.title}."
            case ShownState.DONE:
                yield Tone.GOOD, f"Step {step.name} is done{_effort(step)}."
            case ShownState.FAILED:
                yield Tone.BAD, f"Step {step.name} has failed. The operator sees why."
            case ShownState.WAITS:
                yield Tone.PLAIN, f"Step {step.name} waits for other people."


def _effort(step: PublicStep) -> str:
    parts = [f"{step.seconds:.1f} s"] if step.seconds else []
    if step.transactions:
        parts.append("1 transaction" if step.transactions == 1 else f"{step.transactions} transactions")
    return f": {', '.join(parts)}" if parts else ""


def _hosts(before: PublicView, after: PublicView) -> Iterator[Said]:
    known = {host.name: host.connected for host in before.hosts}
    changed = [host for host in after.hosts if known.get(host.name, False) != host.connected]
    yield from _each([host.name for host in changed if host.connected], Tone.GOOD, "Host {} is connected.",
                     "{} hosts are connected.")  # fmt: skip
    yield from _each([host.name for host in changed if not host.connected], Tone.BAD, "Host {} is away.",
                     "{} hosts are away.")  # fmt: skip


def _nodes(before: PublicView, after: PublicView) -> Iterator[Said]:
    known = {node.name: node.state for node in before.nodes}
    for state, tone in (("running", Tone.GOOD), ("stopped", Tone.PLAIN), ("failed", Tone.BAD)):
        changed = [node.name for node in after.nodes if node.state == state != known.get(node.name, "stopped")]
        verb = {"running": "runs", "stopped": "has stopped", "failed": "has failed"}[state]
        verbs = {"running": "run", "stopped": "have stopped", "failed": "have failed"}[state]
        yield from _each(changed, tone, f"Node {{}} {verb}.", f"{{}} more nodes {verbs}.")


def _votes(before: PublicView, after: PublicView) -> Iterator[Said]:
    if before.votes and after.votes and before.votes.activated < after.votes.threshold <= after.votes.activated:
        yield Tone.GOOD, "The votes have reached the threshold."


def _schedule(before: PublicView, after: PublicView) -> Iterator[Said]:
    old, new = (tuple(seat.account for seat in view.schedule.seats) for view in (before, after))
    if after.schedule.next and after.schedule.next != before.schedule.next:
        yield Tone.PLAIN, f"A new schedule is proposed: {_list(after.schedule.next)}."
    if new and old and new != old:
        yield Tone.GOOD, f"A new schedule is active: {_list(new)}."
        return
    was, now = ({seat.account for seat in view.schedule.seats if seat.absent} for view in (before, after))
    yield from _each([name for name in new if name in now - was], Tone.BAD, "{} missed its turn.",
                     "{} producers missed their turns.")  # fmt: skip
    yield from _each([name for name in new if name in was - now], Tone.GOOD, "{} signs blocks again.",
                     "{} producers sign blocks again.")  # fmt: skip


def _parties(before: PublicView, after: PublicView) -> Iterator[Said]:
    known = {party.name: party.state for party in before.parties.parties}
    changed: dict[str, list[str]] = {}
    for party in after.parties.parties:
        if known.get(party.name) != party.state:
            changed.setdefault(party.state, []).append(party.name)
    for state, names in changed.items():
        tone = {"producing": Tone.GOOD, "refused": Tone.BAD, "revoked": Tone.BAD}.get(state, Tone.PLAIN)
        yield from _each(names, tone, f"Party {{}}: {state}.", f"{{}} parties: {state}.")
    left = known.keys() - {party.name for party in after.parties.parties}
    yield from _each(sorted(left), Tone.PLAIN, "Party {} has left.", "{} parties have left.")


def _attestations(before: PublicView, after: PublicView) -> Iterator[Said]:
    def known(view: PublicView) -> Mapping[str, tuple[float, bool]]:
        return {one.party: (one.at, one.ok and one.counts) for one in view.attestations.attestations}

    old, new = known(before), known(after)
    fresh = [name for name in new if new[name] != old.get(name)]
    yield from _each([name for name in fresh if new[name][1]], Tone.GOOD, "{} attests that the chain is as sealed.",
                     "{} parties attest that the chain is as sealed.")  # fmt: skip
    yield from _each([name for name in fresh if not new[name][1]], Tone.BAD, "{} does not find the chain as sealed.",
                     "{} parties do not find the chain as sealed.")  # fmt: skip


def _each(names: Sequence[str], tone: Tone, one: str, many: str) -> Iterator[Said]:
    if len(names) > FEW:
        yield tone, many.format(len(names))
    else:
        yield from ((tone, one.format(name)) for name in names)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 2 * FEW else f"{', '.join(names[:FEW])} and {len(names) - FEW} more"
