"""Which producer's agent brings a halted chain back, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from agent.nodes.outages import Watch, dial, may_begin, near, outage, patience
from agent.nodes.starter import Outage
from antelope.answers import Info, PeerLink, Schedule, ScheduledProducer, Schedules
from antelope.errors import Unreachable
from antelope.http import NodeClient
from antelope.keys import PrivateKey

KEYS = {name: PrivateKey(bytes(31) + bytes((number,))).public for number, name in enumerate("abcd", 1)}
SCHEDULES = Schedules(Schedule(1, tuple(ScheduledProducer(name, (key,)) for name, key in KEYS.items())), None, None)
INFO = Info("c" * 64, 100, "00" * 32, datetime.fromtimestamp(1000, UTC), "a", 90, "00" * 32, None, "v5")
HALTED = Outage("a", tuple(KEYS), 100, 73.0, (100, 100), {"b": 100, "c": 100})


def _link(name: str, head: int, handshaken: bool = True) -> PeerLink:
    return PeerLink("p:1", False, False, handshaken, "p:1", head, KEYS.get(name))


def _detail(found: Outage) -> str:
    objection = may_begin(found)
    assert objection
    return objection.detail


def test_the_first_of_the_schedule_begins_first() -> None:
    """Three rounds for the first, three more for each that follows: 72 s a step with four producers."""
    assert [patience(tuple(KEYS), name) for name in KEYS] == [72, 144, 216, 288]
    assert may_begin(HALTED) is None
    second = replace(HALTED, account="b", holders={"a": 100, "c": 100})
    assert "begins after 144 s" in _detail(second)
    assert may_begin(replace(second, silence=145)) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"holders": {"b": 100}}, "nodes of 2 scheduled producers"),
        ({"holders": {"b": 100, "x": 100}}, "nodes of 2 scheduled producers"),
        ({"account": "x"}, "not in the active schedule"),
        ({"peers": (101,)}, "a peer has block 101"),
        ({"silence": 71.0}, "71 s so far"),
    ],
)
def test_what_forbids_it(change: dict[str, object], words: str) -> None:
    """Too few proved producers, an outsider, a peer that is ahead, or too short a silence."""
    assert words in _detail(replace(HALTED, **change))  # type: ignore[arg-type]


def test_peers_are_known_by_their_keys() -> None:
    """Only scheduled producers that proved their keys count, each once; outdated reports of a head do no harm."""
    links = [_link("b", 100), _link("b", 100), _link("c", 4), _link("x", 100), _link("d", 100, handshaken=False)]
    found = outage("a", INFO, SCHEDULES, links, seen=80.0, now=1100.0)
    assert found.holders == {"b": 100, "c": 100}
    assert found.silence == 80.0
    assert may_begin(found) is None


def test_a_peer_that_is_ahead_does_not_agree() -> None:
    """A peer has blocks that this node lacks, so this node must not begin."""
    found = outage("a", INFO, SCHEDULES, [_link("b", 101), _link("c", 100)], seen=80.0, now=1100.0)
    assert "101" in _detail(found)


def test_silence_counts_from_when_the_agent_saw_it() -> None:
    """A host that was just switched on has not waited yet, however old its head is."""
    assert outage("a", INFO, SCHEDULES, [], seen=2.0, now=99_999.0).silence == 2.0
    assert outage("a", INFO, SCHEDULES, [], seen=99_999.0, now=1003.0).silence == 3.0


def test_others_are_dialled_a_round_before_the_own_turn() -> None:
    """Of four producers the second begins after six rounds of 24 s; an unscheduled node dials nobody."""
    assert not near(replace(HALTED, account="b", silence=119.0))
    assert near(replace(HALTED, account="b", silence=121.0))
    assert not near(replace(HALTED, account="x", silence=999.0))


class Dials:
    """A node's peers."""

    def __init__(self) -> None:
        self.peers: set[str] = set()

    async def connect(self, endpoint: str) -> str:
        if endpoint == "odd:1":
            raise Unreachable("not an endpoint")
        self.peers.add(endpoint)
        return ""

    async def disconnect(self, endpoint: str) -> str:
        self.peers.remove(endpoint)
        return ""


async def test_who_was_dialled_for_an_outage_is_left_after_it() -> None:
    """Each is dialled once; a node that has moved is dialled at its new endpoint."""
    node, watch = Dials(), Watch()
    for wanted in ({"a:1", "b:1"}, {"a:1", "b:1"}, {"a:1", "b:2"}, set()):
        await dial(cast(NodeClient, node), frozenset(wanted), watch)
        assert node.peers == wanted


async def test_an_endpoint_that_a_node_does_not_take_hinders_nothing() -> None:
    """The others are dialled, and the nodes that answer decide whether there is an outage."""
    node, watch = Dials(), Watch()
    await dial(cast(NodeClient, node), frozenset({"a:1", "odd:1", "z:1"}), watch)
    assert node.peers == {"a:1", "z:1"}
