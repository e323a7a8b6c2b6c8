"""When a chain that stands still may be started again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from agent.nodes.starter import Outage, objection

SCHEDULE = ("a", "b", "c", "d")
OUTAGE = Outage("a", SCHEDULE, head=100, silence=73.0, peers=(100, 90), holders={"b": 100, "c": 100})


def test_a_proved_outage_lets_the_starter_begin() -> None:
    """Three rounds of silence and 2/3+1 of the schedule at the same head: it may, with or without being asked."""
    assert objection(OUTAGE, asked=False) == ""
    assert objection(OUTAGE, asked=True) == ""


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"account": "x"}, "not in the active schedule"),
        ({"schedule": ("eosio",)}, "not in the active schedule"),
        ({"silence": 5.9}, "5.9 s old"),
        ({"silence": -3.0}, "s old"),
        ({"peers": (101,)}, "a peer has block 101"),
    ],
)
def test_what_forbids_it_always(change: Mapping[str, object], words: str, asked: bool) -> None:
    """An unscheduled producer, a fresh block, or a peer that is ahead forbids it, whoever asks."""
    assert words in objection(replace(OUTAGE, **change), asked=asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"silence": 72.0}, "an outage is more than 72 s"),
        ({"holders": {"b": 100}}, "nodes of 2 scheduled producers"),
        ({"holders": {"b": 100, "c": 99}}, "nodes of 2 scheduled producers"),
        ({"holders": {"b": 100, "x": 100, "a": 100}}, "nodes of 2 scheduled producers"),
    ],
)
def test_what_forbids_it_unless_asked(change: Mapping[str, object], words: str) -> None:
    """By itself a node waits out three rounds, and counts scheduled producers at its own head, each once."""
    outage = replace(OUTAGE, **change)  # type: ignore[arg-type]
    assert words in objection(outage, asked=False)
    assert objection(outage, asked=True) == ""


def test_a_single_producer_needs_nobody() -> None:
    """A schedule of one is its own two thirds."""
    alone = Outage("a", ("a",), head=5, silence=20.0, peers=(), holders={})
    assert objection(alone, asked=False) == ""
