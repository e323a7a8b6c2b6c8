"""A boot at one moment, as a terminal of 80 columns shows it, and how long the chain's rules make it wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.report.pace import final_seconds, left, usual_seconds
from coordinator.report.pulse import Pulse, VoteCount, Working, clock, fitted, pulse_lines
from coordinator.report.tracking import AtWork, Tracking
from coordinator.report.watch_screen import screen_lines
from coordinator.reporter import StepResult
from tests.unit.coordinator.report.test_status import status

PULSE = Pulse(
    ended=13, steps=24, seconds=62.0, left=45.0, producers=4,
    working=(
        Working("accounts", "create the staked accounts", "", 1500, 3279, 9.0, None),
        Working("resign", "let eosio resign", "its transaction is in block 104, not final yet", 0, 0, 12.0, 30.0),
    ),
    head=15234, lib=15200, nodes=(4, 5), schedule=("eosio",), next=("a", "b", "c", "d", "e"),
    votes=VoteCount(75, 150, True), parties=(("in sync", 1), ("votable", 2)),
)  # fmt: skip


def test_a_pulse_fits_eighty_columns() -> None:
    """Each step at work with its count or the usual wait, the boot's course, the chain, the election, the parties."""
    assert list(pulse_lines(PULSE, 80)) == [
        "> accounts        [=====       ] 1,500 of 3,279 0:09  create the staked accounts",
        "> resign          0:12 of about 0:30  its transaction is in block 104, not...",
        "  step 14 of 24, 1:02 so far; at the chain's pace about 0:45 more",
        "  head 15,234, LIB 15,200 (34 behind); 4 of 5 nodes run",
        "  votes 50% of the threshold; schedule eosio, then a, b, c, d and 1 more",
        "  parties: 1 in sync, 2 votable",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever steps say; many steps at work are a few lines."""
    many = replace(PULSE, working=tuple(replace(PULSE.working[1], step=f"s{n}", detail="x" * 300) for n in range(30)))
    lines = list(pulse_lines(many, width))
    assert all(len(line) <= width for line in lines)
    assert len(lines) == 10


def test_what_is_not_known_is_left_out() -> None:
    """Before there is a chain, only the course."""
    empty = replace(PULSE, working=(), head=0, votes=None, schedule=(), next=(), parties=(), left=0.0)
    assert list(pulse_lines(empty, 80)) == ["  step 14 of 24, 1:02 so far"]


def test_lengths_of_time_and_cut_lines() -> None:
    """Cut at a word where one is near."""
    assert [clock(seconds) for seconds in (0.4, 65, 3725)] == ["0:00", "1:05", "1:02:05"]
    assert fitted("one two three", 80) == "one two three"
    assert fitted("one two three", 12) == "one two..."
    assert fitted("x" * 30, 12) == "x" * 9 + "..."


def test_waits_follow_from_the_chains_rules() -> None:
    """A block of 21 producers is irreversible after about 168 s (as was measured); of one, after the next block."""
    assert final_seconds(1) == 0.5
    assert final_seconds(4) == 30
    assert final_seconds(21) == pytest.approx(168, rel=0.05)
    assert usual_seconds("turns", 4) == 24
    assert usual_seconds("accounts", 4) is None
    assert left(["resign"], [("turns", 20.0), ("canary-exec", 10.0)], 4) == 30 + 20
    assert left(["turns", "canary-exec", "resign", "votes"], [], 4) == 30 + 30
    assert left([], [("resign", 100.0)], 4) == 0


class Silent:
    """A reporter that says nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def test_steps_at_work_are_followed() -> None:
    """From their beginning to their end; a detail stays until another is told."""
    now = [100.0]
    at_work = AtWork(lambda: now[0])
    at_work.moved("genesis", 1, 2, "never began")
    at_work.began("accounts", "create")
    now[0] = 103.0
    at_work.moved("accounts", 5, 10, "half")
    at_work.moved("accounts", 0, 0, "")
    assert at_work.working(4) == (Working("accounts", "create", "half", 5, 10, 3.0, None),)
    assert at_work.counts() == {"accounts": (5, 10)}
    at_work.ended("accounts")
    assert at_work.working(4) == ()
    assert at_work.over == {"accounts"}
    assert at_work.seconds == 3.0
    tracking = Tracking(Silent())  # type: ignore[arg-type] # it takes every call
    tracking.began("votes", "vote")
    tracking.moved("votes", 1, 3, "")
    assert tracking.at_work.counts() == {"votes": (1, 3)}
    tracking.ended("votes", "vote", StepResult.DONE, "")
    assert tracking.at_work.over == {"votes"}


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 12), (40, 24), (120, 50), (20, 5)])
@pytest.mark.parametrize("pulse", [PULSE, None])
def test_a_watched_network_fits_the_screen(width: int, height: int, pulse: Pulse | None) -> None:
    """Of a hundred nodes too: what does not run comes first, the rest is counted."""
    well = status()
    many = [replace(well.nodes[1], name=f"node{number}") for number in range(100)]
    many[70] = replace(many[70], state="failed", detail="its disk is full")
    lines = screen_lines(replace(well, nodes=tuple(many)), pulse, width, height)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)
    if (width, height) == (80, 24):
        assert any(line.startswith("node70  failed") for line in lines)
        assert any(
            line.startswith("and ") and line.endswith("more nodes: " + line.rpartition(": ")[2]) for line in lines
        )


def test_a_watched_network_without_a_boot() -> None:
    """Its phase, chain, schedule, problems, and nodes."""
    lines = screen_lines(status(silent=("b",)), None, 80, 24)
    assert lines[0] == f"net: live   chain {'c' * 16}"
    assert lines[1] == "head 1,000, 0 s ago   LIB 980"
    assert lines[2] == "schedule a, b, c, d"
    assert "! elected, but no block in the latest round: b" in lines
    assert "NODE   STATE    HEAD  LIB  PEERS  HOST" in lines
