"""What a step waits for, in words."""

from __future__ import annotations

import pytest

from boot.step import Verdict
from coordinator.engine.executor import Checked, Overdue, Ran, StepState, Waiting
from coordinator.engine.reasons import Reason, Reasons, describe


def test_each_change_is_told_once_with_the_event_that_made_it() -> None:
    """The same reason after another event is not repeated, and keeps its cause."""
    told: list[Reason] = []
    reasons = Reasons(told.append)
    reasons.note(None, {"a": Waiting(StepState.CHECKING, "its evidence is being read", 0)})
    missing = Waiting(StepState.RUNNING, "waits for h1 to carry it out", 1)
    reasons.note(Checked("a", Verdict(("x",), "0 of 1"), id=1), {"a": missing})
    reasons.note(Ran("b", "h2", id=2), {"a": missing})
    assert [(one.what, one.event) for one in told] == [
        ("its evidence is being read", 0),
        ("waits for h1 to carry it out", 1),
    ]
    assert reasons.of("a").cause == "the evidence of a was read: 0 of 1"
    assert reasons.of("a").line().startswith("a (running): waits for h1 to carry it out; since event 1, 0 s ago (the ")
    with pytest.raises(KeyError):
        reasons.of("c")


def test_another_run_begins_with_none() -> None:
    """The numbers of events start again, so nothing of an earlier run is kept."""
    reasons = Reasons()
    reasons.note(Overdue("a", id=7), {"a": Waiting(StepState.FAILED, "deadline passed", 7)})
    reasons.note(None, {"b": Waiting(StepState.CHECKING, "its evidence is being read", 0)})
    assert reasons.of("b").cause == "the run began"
    with pytest.raises(KeyError):
        reasons.of("a")


def test_a_reason_since_the_beginning_names_no_event() -> None:
    """No event has the number 0."""
    assert Reason("b", "pending", "waits for a", 0, "the run began", 3.2).line() == (
        "b (pending): waits for a; since the run began, 3 s ago"
    )


def test_what_a_pending_step_waits_for_in_the_end() -> None:
    """The steps at the end of the chain of needs: at work, or failed; each once."""
    reasons = Reasons()
    waiting = {
        "genesis": Waiting(StepState.DONE, "runs", 3),
        "accounts": Waiting(StepState.RUNNING, "waits for h1 to carry it out", 2, ("h1",)),
        "nodes": Waiting(StepState.FAILED, "h2: no disk space", 1),
        "register": Waiting(StepState.PENDING, "waits for accounts", 0, ("accounts",)),
        "synced": Waiting(StepState.PENDING, "waits for nodes, register", 0, ("nodes", "register")),
        "votes": Waiting(StepState.PENDING, "waits for synced, register", 0, ("synced", "register")),
    }
    reasons.note(None, waiting)
    assert [one.step for one in reasons.behind("votes")] == ["nodes", "accounts"]
    assert reasons.behind("accounts") == ()


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Ran("a", "h1", "no space left"), "h1 could not carry out a: no space left"),
        (Ran("a", "h1"), "h1 carried out a"),
        (Overdue("a"), "the deadline of a passed"),
        (Overdue("a", "h1: nodeos ended"), "a can no longer happen: h1: nodeos ended"),
        (Checked("a", Verdict(("x", "y"))), "the evidence of a was read: missing: x, y"),
        (Checked("a", Verdict(())), "the evidence of a was read: nothing is missing"),
    ],
)
def test_events_read_as_sentences(event: Ran | Overdue | Checked, line: str) -> None:
    """One line each."""
    assert describe(event) == line
