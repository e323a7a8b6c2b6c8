"""The progress of a boot as a person sees it."""

from __future__ import annotations

import io

from rich.console import Console

from coordinator.report.progress import LiveReporter, PlainReporter
from coordinator.reporter import StepResult


def test_what_was_done_before_is_one_line() -> None:
    """Many finished steps in a row become one line before the next one; a few keep a line each."""
    shown = io.StringIO()
    reporter = PlainReporter(shown)
    for step in ("genesis", "features", "contracts", "init"):
        reporter.ended(step, "some title", StepResult.ALREADY, "there")
    reporter.ended("register", "register the producers", StepResult.DONE, "4 registered")
    reporter.ended("retire", "retire genesis", StepResult.ALREADY, "there")
    reporter.close()
    assert [" ".join(line.split()) for line in shown.getvalue().splitlines()] == [
        "-- 4 done already from genesis to init",
        "ok register register the producers: 4 registered",
        "-- retire retire genesis: there",
    ]


def test_a_failure_is_never_swallowed_by_what_was_done_before() -> None:
    """A note and a failed step stay between two runs of finished ones, in their order."""
    shown = io.StringIO()
    reporter = PlainReporter(shown)
    for round_ in ("a", "b"):
        for number in range(4):
            reporter.ended(f"{round_}{number}", "title", StepResult.ALREADY, "")
        reporter.ended("h4", "install the agent", StepResult.FAILED, "no SSH")
    reporter.close()
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert lines[0::2] == ["-- 4 done already from a0 to a3", "-- 4 done already from b0 to b3"]
    assert lines[1::2] == ["FAILED h4 install the agent: no SSH"] * 2


def test_nothing_is_drawn_while_a_question_stands() -> None:
    """Between question and answer the live lines are gone; afterwards they come back."""
    shown = io.StringIO()
    reporter = LiveReporter(Console(file=shown, force_terminal=True, width=100))
    reporter.began("preflight", "look at the hosts")
    with reporter.asking():
        before = shown.getvalue()
        reporter.moved("preflight", 0, 0, "h1: looking")
        assert shown.getvalue() == before
    reporter.moved("preflight", 0, 0, "h2: looking")
    reporter.close()
    assert "h2: looking" in shown.getvalue()[len(before) :]
