"""The progress of a boot as a person sees it."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime

import pytest
from rich.console import Console

from coordinator.report.progress import EventReporter, LiveReporter, PlainReporter, QuietReporter
from coordinator.reporter import StepResult
from support.json_log import about
from tests.unit.coordinator.report.test_pulse import PULSE


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


def test_quiet_tells_only_what_needs_a_person() -> None:
    """A failure, or a wait for others."""
    shown = io.StringIO()
    reporter = QuietReporter(shown)
    reporter.note("agent of h1 started")
    reporter.began("votes", "cast the votes")
    reporter.moved("votes", 0, 0, "waiting")
    reporter.ended("genesis", "start", StepResult.DONE, "")
    reporter.ended("init", "init", StepResult.ALREADY, "")
    reporter.ended("votes", "cast the votes", StepResult.WAITS, "half of the stake has not voted")
    reporter.close()
    assert " ".join(shown.getvalue().split()) == "waits votes cast the votes: half of the stake has not voted"


def test_events_are_objects_a_line() -> None:
    """In their order, each with its time and network, and the host that it is about."""
    shown = io.StringIO()
    reporter = EventReporter(shown, "net")
    with about(host="h1"):
        reporter.note("two\nlines")
    reporter.began("votes", "cast the votes")
    reporter.moved("votes", 1, 2, "")
    reporter.ended("votes", "cast the votes", StepResult.DONE, "2 votes")
    reporter.close()
    events = [json.loads(line) for line in shown.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["note", "step-began", "step-moved", "step-ended"]
    assert events[0]["text"] == "two\nlines"
    assert events[3]["result"] == "done"
    assert {event["network"] for event in events} == {"net"}
    assert [event.get("host") for event in events] == ["h1", None, None, None]
    assert all(datetime.fromisoformat(event["time"]).tzinfo for event in events)


def test_a_live_screen_shows_steps_and_pulse() -> None:
    """Those at work, and where the boot is; finished ones stay above."""
    shown = io.StringIO()
    reporter = LiveReporter(Console(file=shown, force_terminal=True, width=80, height=24))
    reporter.began("votes", "cast the [bold]votes[/]")
    reporter.beat(PULSE)
    reporter.ended("init", "init", StepResult.DONE, "")
    with reporter.asking():
        pass
    reporter.close()
    text = shown.getvalue()
    assert "cast the [bold]votes[/]" in text
    assert "step 14 of 24" in text
    assert "init" in text


@pytest.mark.parametrize("width", [80, 40, 20])
def test_a_finished_step_is_broken_between_words(width: int) -> None:
    """In any terminal each word is whole, and what goes on is indented; only a word longer than a line is cut."""
    shown = io.StringIO()
    reporter = LiveReporter(Console(file=shown, width=width, height=24, highlight=False, soft_wrap=True))
    detail = "supply 1000000000.0000 SYS of at most 10000000000.0000 SYS, 2 transactions, 0.8 s"
    reporter.ended("currency", "create and issue the core token", StepResult.DONE, detail)
    reporter.note("the agent of [h1] ended and is started again (coord logs net.toml agent@h1)")
    reporter.close()
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = shown.getvalue().split()
    if width > 20:
        assert " ".join(words).startswith(f"ok currency create and issue the core token: {detail} the agent of [h1]")
    step = lines[: next(at for at, line in enumerate(lines) if line.startswith("the agent"))]
    assert len(step) > 1
    assert all(line.startswith(" " * (26 if width == 80 else 9)) for line in step[1:])


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR (https://no-color.org): bold and dim may stay, colours do not."""
    monkeypatch.setenv("NO_COLOR", "1")
    shown = io.StringIO()
    reporter = LiveReporter(Console(file=shown, force_terminal=True, width=80))
    reporter.ended("init", "init", StepResult.FAILED, "why")
    reporter.close()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown.getvalue())
