"""What anybody may see, and that nothing else gets out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from boot.steps import STEPS
from coordinator.engine.reasons import Reason
from coordinator.parties.attestations import Attestation
from coordinator.parties.store import Attested, Party, Standing
from coordinator.report.peer_graph import draw, members
from coordinator.report.rounds import Seat, SeatState
from coordinator.report.status import HostRow, NetworkStatus
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from coordinator.web.model import PublicStep, ShownState, plain
from coordinator.web.view import PageFacts, Votes, public_view
from inventory.load import load
from inventory.network import Network
from inventory.share import Seats
from tests.unit.coordinator.report.test_status import status

SECRET = "7f3Secret"
"""In everything that must not be told."""
NOW = 1_795_900_000.0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Two hosts, whose addresses, users, paths and keys are secrets."""
    folder = tmp_path_factory.mktemp(SECRET)
    (folder / "n.toml").write_text(f"""
[network]
name = "net"
[producers]
count = 4
[[hosts]]
name = "one"
address = "{SECRET}.example"
[hosts.ssh]
user = "{SECRET}"
key = "/{SECRET}/id"
[[hosts]]
name = "two"
address = "{SECRET}2.example"
data = "/srv/{SECRET}"
nodeos = "/opt/{SECRET}/nodeos"
[coordinator]
advertise = "{SECRET}.operator.example"
""")
    return load(folder / "n.toml")


def party(name: str, state: Standing = Standing.SYNCED) -> Party:
    """A party all of whose own words are secrets."""
    return Party(
        name, f"{name}account", f"EOS{SECRET}", f"EOS{SECRET}", f"{SECRET}.example:9876", f"nodeos {SECRET}",
        SECRET, state, f"its endpoint {SECRET}:9876 is being dialled back", NOW, ("a",), f"{SECRET}.example:9876",
    )  # fmt: skip


def secretive(**changes: Any) -> NetworkStatus:
    """A status with a secret in everything that is not for everybody."""
    found = status()
    nodes = tuple(
        replace(node, p2p=f"{SECRET}:9876", http=f"http://{SECRET}:8888", detail=f"/{SECRET}: disk full", host="one")
        for node in found.nodes
    )
    away = HostRow("two", "away", None, None)
    failed = StepRecord("accounts", StepResult.FAILED, 3.0, f"h1: /{SECRET}/data is full", 7)
    return replace(
        found, nodes=nodes, hosts=(HostRow("one", "connected", 0.123456, 123456789), away),
        steps={"genesis": StepRecord("genesis", StepResult.DONE, 1.25, f"/{SECRET}", 0), "accounts": failed},
        parties=(party("alice"), party("bob", Standing.REFUSED), party("left", Standing.LEFT)),
        seats=Seats(4, 1, None, 1), **changes,
    )  # fmt: skip


def facts(network: Network, **changes: Any) -> PageFacts:
    """Everything at once, with secrets."""
    attested = Attested("alice", "aliceaccount", f'{{"{SECRET}": 1}}', f"SIG_{SECRET}", NOW)
    report = secretive()
    found = PageFacts(
        network=network,
        status=report,
        now=NOW,
        reasons=(
            Reason("accounts", "running", f"waits for one at {SECRET}", 3, f"{SECRET} failed", 5.0, ("one", SECRET)),
            Reason("votes", "checking", f"missing: {SECRET}", 3, "", 2.0, ("a", "b", f"/{SECRET}", *"cd", "alice")),
            Reason("register", "pending", "waits for accounts", 0, "", 1.0, ("accounts",)),
        ),
        progress={"accounts": (3, 10), "votes": (0, 0)},
        seats=(Seat("a", SeatState.NOW, 3), Seat("b", SeatState.MISSED, 0, absent=True)),
        next=("a", "b"),
        votes=Votes(5, (("a", 0.75), ("e", 0.25))),
        drawing=draw(members(network, report.parties)),
        attested={"alice": (attested, Attestation(f"{SECRET} is wrong", False, 0))},
        members=(0, 1),
    )
    return replace(found, **changes)


def strings(value: object) -> Iterator[str]:
    """Every text in it, keys of mappings too."""
    if is_dataclass(value):
        for one in fields(value):
            yield from strings(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for name, content in value.items():
            yield from strings(name)
            yield from strings(content)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def test_no_secret_is_told(network: Network) -> None:
    """Neither addresses, users, paths, keys, reasons, errors nor documents; and the secrets were really in there."""
    assert SECRET in repr(facts(network))
    view = public_view(facts(network))
    assert SECRET not in repr(view)
    assert SECRET not in json.dumps(plain(view))


def test_every_text_is_a_known_one(network: Network) -> None:
    """Whatever is added later: a text on the page is a name, a word of ours, or a hash, never free text."""
    view = public_view(facts(network))
    words = {*ShownState, *Standing, *SeatState, "live", "running", "producer", "genesis", "full", "party", "SYS"}
    words |= {word for step in STEPS for word in (step.name, step.title)}
    names = {"net", "one", "two", "audit", "eosio", "a", "b", "c", "d", "e", "c" * 64, "m" * 64}
    names |= {"alice", "bob", "aliceaccount", "bobaccount", *(node.name for node in network.nodes)}
    assert set(strings(view)) - words - names == set()


def step(found: PageFacts, name: str) -> PublicStep:
    """One of the steps."""
    return next(one for one in public_view(found).steps if one.name == name)


def test_steps(network: Network) -> None:
    """What runs is told with where and how far; names that nobody knows are counted, and not told."""
    found = facts(network)
    done = step(found, "genesis")
    assert (done.state, done.seconds, done.began) == (ShownState.DONE, 1.2, None)
    running = step(found, "accounts")
    assert (running.state, running.on, running.waits_for, running.left) == (ShownState.RUNNING, ("one",), (), 2)
    assert (running.done, running.total, running.began, running.transactions) == (3, 10, NOW - 5, 7)
    waiting = step(found, "votes")
    assert (waiting.waits_for, waiting.on, waiting.left) == (("a", "b", "c", "d", "alice"), (), 6)
    assert step(found, "register").after == ("accounts",)
    assert step(replace(found, reasons=()), "accounts").state is ShownState.FAILED
    assert public_view(found).network.ended == 1


def test_a_step_that_was_done_before_is_done_while_it_is_looked_at(network: Network) -> None:
    """A second boot looks at everything; only what is handed out again is at work."""
    looked = Reason("genesis", "checking", "", 0, "", 0.0, ())
    assert step(facts(network, reasons=(looked,)), "genesis").state is ShownState.DONE
    again = replace(looked, state="running", on=("one",))
    assert step(facts(network, reasons=(again,)), "genesis").state is ShownState.RUNNING


def test_a_boot_that_starts_the_first_node_is_not_down(network: Network) -> None:
    """While it is at work; afterwards a network without a running node is."""
    down = secretive(phase="down")
    assert public_view(facts(network, status=down)).network.phase == "booting"
    assert public_view(facts(network, status=down, reasons=())).network.phase == "down"


def test_hosts_nodes_and_parties(network: Network) -> None:
    """Counts per host; a state that an agent made up is unknown; parties that left are gone."""
    odd = replace(secretive().nodes[0], state=f"{SECRET}")
    report = secretive()
    view = public_view(facts(network, status=replace(report, nodes=(odd, *report.nodes[1:]))))
    assert [(host.name, host.connected, host.nodes, host.running) for host in view.hosts] == [
        ("one", True, 5, 4), ("two", False, 0, 0),
    ]  # fmt: skip
    assert view.nodes[0].state == "unknown"
    assert [one.name for one in view.parties.parties] == ["alice", "bob"]
    assert view.parties.seats
    assert (view.parties.seats.taken, view.parties.seats.most) == (1, 1)
    attested = view.attestations.attestations[0]
    assert (attested.party, attested.counts, attested.ok) == ("alice", False, False)


def test_votes(network: Network) -> None:
    """Who is in the schedule is marked; before the system contract there are none."""
    view = public_view(facts(network))
    assert view.votes
    assert [(one.account, one.share, one.scheduled) for one in view.votes.candidates] == [
        ("a", 0.75, True), ("e", 0.25, False),
    ]  # fmt: skip
    assert public_view(facts(network, votes=None)).votes is None


def test_the_graph_names_only_members(network: Network) -> None:
    """Links are pairs of places, and each place says how many it has."""
    graph = public_view(facts(network)).graph
    assert {place.name for place in graph.places} == {*(node.name for node in network.nodes), "alice", "bob"}
    assert sum(place.links for place in graph.places) == 2 * len(graph.links)
    assert all(0 <= end < len(graph.places) for link in graph.links for end in link)
