"""The phase of a network, and its problems."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordinator.report.health import COPY, PUT_BACK, problems
from coordinator.report.status import HostRow, NetworkStatus, NodeRow, Phase, phase
from coordinator.report.tables import node_table
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord

DONE = {"resign": StepRecord("resign", StepResult.DONE, 1.0, "", 5)}
WAITS = {"votes": StepRecord("votes", StepResult.WAITS, 0.0, "", 0)}


@pytest.mark.parametrize(
    ("sealed", "steps", "states", "moves", "word"),
    [
        (False, {}, (), None, "planned"),
        (True, {}, ("running", "unknown"), True, "booting"),
        (True, WAITS, ("running",), True, "voting"),
        (True, DONE, ("running", "stopped"), True, "live"),
        (True, DONE, ("running",), False, "stalled"),
        (True, {}, ("running",), False, "stalled"),
        (True, DONE, ("running",), None, "unknown"),
        (True, DONE, ("stopped", "failed"), None, "down"),
        (True, DONE, ("stopped", "unknown"), None, "unknown"),
    ],
)
def test_phase(
    sealed: bool, steps: dict[str, StepRecord], states: tuple[str, ...], moves: bool | None, word: str
) -> None:
    """Live means that blocks come; a network whose hosts cannot be reached is not called down."""
    assert phase(sealed, steps, states, moves) == word


def status(**changes: Any) -> NetworkStatus:
    """A network of four producers that is well, but for the changes."""
    names = ("a", "b", "c", "d")
    node = NodeRow("audit", "one", "eosio", "genesis", "", "", "running", 980, 980, 3, "", audit=True)
    nodes = (node, *(replace(node, name=name, account=name, role="producer", head=1000) for name in names))
    well = NetworkStatus(
        network="net", chain_id="c" * 64, manifest="m" * 64, phase=Phase.LIVE, head=1000, head_age=0.4, stands=False,
        lib=980, schedule=names, silent=(), nodes=nodes, hosts=(HostRow("one", "connected", 0.0, 1),), steps=DONE,
    )  # fmt: skip
    return replace(well, **changes)


AWAY = (HostRow("one", "away", None, None),)
STOPPED = NodeRow("b", "one", "b", "producer", "", "", "failed", 0, 0, 0, "its disk is full")
OLD = replace(STOPPED, state="running", head=900, detail="")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ()),
        ({"chain_id": None}, ("net was never booted: there is no chain",)),
        ({"head_age": None}, ("the chain cannot be read: no node answers",)),
        (
            {"head_age": 73.2, "stands": True, "silent": ("a", "b", "c", "d")},
            ("the chain has stalled: its latest block, 1000, is 73 s old; a, b, c, d should sign",),
        ),
        ({"silent": ("b",)}, ("elected, but no block in the latest round: b",)),
        (
            {"silent": ("b", "c"), "paused": ("b",)},
            ("elected, but no block in the latest round: b (paused: coord node INVENTORY resume b), c",),
        ),
        ({"lib": 1000 - 144}, ()),
        ({"lib": 1000 - 145}, ("blocks do not become irreversible: LIB 855 is 145 blocks behind the head",)),
        ({"hosts": AWAY}, ("host one: its agent is away",)),
        ({"hosts": (replace(AWAY[0], contested=True),)}, (f"host one: {COPY}",)),
        (
            {"hosts": (replace(AWAY[0], agent="connected", lost_keys=("keys/a is gone", "keys/b is gone")),)},
            tuple(f"host one: keys/{name} is gone; {PUT_BACK}" for name in "ab"),
        ),
        ({"nodes": (STOPPED,)}, ("node b on one: failed: its disk is full",)),
        ({"nodes": (replace(STOPPED, state="unknown"),), "hosts": AWAY}, ("host one: its agent is away",)),
        ({"nodes": (OLD,)}, ("node b on one: 80 blocks behind LIB",)),
        (
            {"nodes": (replace(OLD, head=1000, withheld="another node signs as b"),)},
            ("node b on one signs nothing: another node signs as b",),
        ),
        (
            {"nodes": (replace(OLD, head=1000, doubles=("b signed two", "b signed two again")),)},
            ("node b on one has seen two signers: b signed two again (and 1 more)",),
        ),
    ],
)
def test_what_is_wrong(changes: dict[str, Any], said: tuple[str, ...]) -> None:
    """Chain, producers, hosts and nodes, each with its reason; a healthy network has none."""
    assert problems(status(**changes)) == said


def test_the_audits_node_is_told_from_those_that_take_transactions() -> None:
    """nodeos only says that an API is missing; here the line explains that node, and names another to ask."""
    nodes = status().nodes
    taking = tuple(replace(node, audit=False, http=f"http://127.0.0.1:{8888 + i}") for i, node in enumerate(nodes[1:]))
    said = list(node_table(status(nodes=(nodes[0], *taking))))[-1]
    assert said == (
        "audit answers for the audit, from irreversible state: it takes no transactions; a does (http://127.0.0.1:8888)"
    )
    assert not any("takes no" in line for line in node_table(status(nodes=taking)))
