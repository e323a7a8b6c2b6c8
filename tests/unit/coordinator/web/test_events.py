"""Which events are made of a change."""

from __future__ import annotations

from dataclasses import replace

from coordinator.web.events import events
from coordinator.web.model import PublicAttestation, PublicParty, PublicView, Tone
from tests.unit.coordinator.web.shapes import booting, network, planned, seats, stalled


def said(before: PublicView, after: PublicView) -> list[str]:
    """The sentences alone."""
    return [event.text for event in events(before, after)]


def test_nothing_happened() -> None:
    """Blocks alone make no event."""
    later = replace(network(), chain=replace(network().chain, head=99_999))
    assert said(network(), later) == []


def test_a_boot_begins() -> None:
    """Hosts, nodes and steps, then the phase."""
    told = said(planned(), booting())
    assert told[0].startswith("The network is sealed: manifest a7a7")
    assert "Host h1 is connected." in told
    assert "Node genesis runs." in told
    assert "Step genesis is done: 0.4 s." in told
    assert "Step accounts has begun: create the staked accounts." in told
    assert told[-1] == "The boot is under way."


def test_a_chain_stalls_and_comes_back() -> None:
    """Whoever misses turns is named; many are counted."""
    well, bad = network(21, 21), stalled()
    told = events(well, bad)
    assert Tone.BAD in {event.tone for event in told}
    texts = [event.text for event in told]
    assert "7 hosts are away." in texts
    assert "7 producers missed their turns." in texts
    assert texts[-1] == "The chain has stalled: no new blocks."
    back = said(bad, well)
    assert "7 producers sign blocks again." in back
    assert back[-1] == "The network is live."


def test_a_new_schedule() -> None:
    """It is told when it is proposed, and when it is active; whoever was absent in the old one is not told then."""
    before = network()
    proposed = replace(before, schedule=replace(before.schedule, next=("defproducera", "alice")))
    assert said(before, proposed) == ["A new schedule is proposed: defproducera, alice."]
    active = replace(before, schedule=replace(before.schedule, seats=seats(2, absent=(1,))))
    assert said(proposed, active) == ["A new schedule is active: defproducera, defproducerb."]


def test_parties_and_attestations() -> None:
    """Each change of one; those that have the same in one sentence when they are many."""
    before = network()
    joined = tuple(PublicParty(f"p{at}", f"p{at}", "joined", 1.0) for at in range(5))
    many = replace(before, parties=replace(before.parties, parties=joined))
    assert said(before, many) == ["5 parties: joined."]
    assert said(many, before) == ["5 parties have left."]
    first = replace(before, parties=replace(before.parties, parties=joined[:1]))
    producing = replace(first, parties=replace(first.parties, parties=(replace(joined[0], state="producing"),)))
    (event,) = events(first, producing)
    assert (event.tone, event.text) == (Tone.GOOD, "Party p0: producing.")
    good = PublicAttestation("p0", "p0", True, True, 9, 1.0, ())
    attested = replace(producing, attestations=replace(before.attestations, attestations=(good,)))
    assert said(producing, attested) == ["p0 attests that the chain is as sealed."]
    doubting = replace(
        attested, attestations=replace(before.attestations, attestations=(replace(good, ok=False, at=2.0),))
    )
    assert said(attested, doubting) == ["p0 does not find the chain as sealed."]


def test_votes_cross_the_threshold() -> None:
    """Once."""
    assert "The votes have reached the threshold." in said(booting(), network(parties=3))
    assert "The votes have reached the threshold." not in said(network(), network())
