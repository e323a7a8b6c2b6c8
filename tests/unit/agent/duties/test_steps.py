"""A step's work, as an agent derives it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from agent.duties import steps as module
from agent.duties.holding import Holding
from agent.duties.steps import StepWork
from agent.duties.tools import Tools
from boot.step import Work
from tests.unit.loop import recording


async def test_deriving_a_steps_work_leaves_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """160,000 rows take seconds, in which the agent still reports and answers; a second time nothing is derived."""
    on_loop: list[bool] = []

    def nothing(blueprint: object) -> tuple[Work, ...]:
        return ()

    step = SimpleNamespace(name="accounts", work=recording(nothing, on_loop))
    monkeypatch.setattr(module, "chain_step", lambda name: step)
    tools = cast(Tools, SimpleNamespace(nodes=None, journal=None, memory=None))
    work = StepWork(tools, cast(Holding, SimpleNamespace(held=lambda: None)))
    assert await work.derived("accounts") is await work.derived("accounts")
    assert on_loop == [False]
