"""When a stalled chain may be restarted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from agent.nodes.starter import Outage, Reason, objection

SCHEDULE = ("a", "b", "c", "d")
OUTAGE = Outage("a", SCHEDULE, head=100, silence=73.0, peers=(100, 90), holders={"b": 100, "c": 100})


def test_a_proved_outage_lets_the_starter_begin() -> None:
    """After three silent rounds, with 2/3+1 of the schedule at the same head, it may, asked or unasked."""
    assert objection(OUTAGE, asked=False) is None
    assert objection(OUTAGE, asked=True) is None


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"account": "x"}, Reason.NOT_SCHEDULED, "not in the active schedule"),
        ({"schedule": ("eosio",)}, Reason.NOT_SCHEDULED, "not in the active schedule"),
        ({"silence": 5.9}, Reason.NO_OUTAGE, "5.9 s old"),
        ({"silence": -3.0}, Reason.NO_OUTAGE, "s old"),
        ({"peers": (101,)}, Reason.BEHIND, "a peer has block 101"),
    ],
)
def test_what_forbids_it_always(change: Mapping[str, object], reason: Reason, words: str, asked: bool) -> None:
    """An unscheduled producer, a fresh block, or a peer that is ahead forbids it in every case."""
    found = objection(replace(OUTAGE, **change), asked=asked)  # type: ignore[arg-type]
    assert found
    assert found.reason is reason
    assert words in found.detail


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"silence": 72.0}, Reason.NO_OUTAGE, "an outage is more than 72 s"),
        ({"holders": {"b": 100}}, Reason.TOO_FEW, "nodes of 2 scheduled producers"),
        ({"holders": {"b": 100, "c": 99}}, Reason.TOO_FEW, "nodes of 2 scheduled producers"),
        ({"holders": {"b": 100, "x": 100, "a": 100}}, Reason.TOO_FEW, "nodes of 2 scheduled producers"),
    ],
)
def test_what_forbids_it_unless_asked(change: Mapping[str, object], reason: Reason, words: str) -> None:
    """Unasked, a node waits three rounds, and counts scheduled producers at its own head, each once."""
    outage = replace(OUTAGE, **change)  # type: ignore[arg-type]
    found = objection(outage, asked=False)
    assert found
    assert found.reason is reason
    assert words in found.detail
    assert objection(outage, asked=True) is None


def test_a_single_producer_needs_nobody() -> None:
    """A sole producer is two thirds of its schedule."""
    alone = Outage("a", ("a",), head=5, silence=20.0, peers=(), holders={})
    assert objection(alone, asked=False) is None
