"""What runs beside an agent's tasks fails visibly, and does not end the agent."""

from __future__ import annotations

import asyncio

import pytest

from agent import background
from agent.background import begin, keep_running, together


async def _fail() -> None:
    raise KeyError("broken")


def _causes(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.exc_info[1]) for record in caplog.records if record.exc_info]


async def test_a_failure_that_nobody_waits_for_is_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The log names what it was and has the traceback."""
    task = begin(_fail, "registering")
    await asyncio.wait([task])
    assert caplog.messages == ["registering: a fault of this agent"]
    assert _causes(caplog) == ["'broken'"]
    assert isinstance(task.exception(), KeyError)


async def test_an_end_from_outside_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A task that is cancelled leaves no line."""
    task = begin(asyncio.Event().wait, "waiting")
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert caplog.messages == []


async def test_what_is_kept_up_begins_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure, whose cause is logged, it is done anew, until it ends by itself."""
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            await _fail()

    await keep_running(work)
    assert len(runs) == 3
    assert _causes(caplog) == ["'broken'"] * 2


async def test_the_first_end_is_everybodys() -> None:
    """The others are cancelled, and what the first one raised is raised."""
    ended: list[str] = []

    async def other() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("other")

    with pytest.raises(KeyError):
        await together(other(), _fail())
    assert ended == ["other"]
