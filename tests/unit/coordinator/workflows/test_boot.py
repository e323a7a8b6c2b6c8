"""How a boot goes on when a crash took blocks with it, with a runner that only pretends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from boot.plan import make_plan
from boot.step import NodeMode, NodeStep, Step
from coordinator.engine.outcome import Outcome
from coordinator.engine.runner import Runner
from coordinator.reporter import Reporter
from coordinator.workflows.boot import CRASHES, run_through

PLAN = make_plan([NodeStep("a", "a", (), lambda _: (), NodeMode.NORMAL)])


class Pretends:
    """A runner whose runs end as it is told, and a reporter."""

    def __init__(self, failures: Sequence[str], lost: Sequence[str]) -> None:
        self.failures = list(failures)
        self.gone = tuple(lost)
        self.notes: list[str] = []

    async def run(self, steps: Sequence[Step]) -> Outcome:
        reason = self.failures.pop(0) if self.failures else ""
        return Outcome(steps, acted=["a"], failed={"a": reason} if reason else {})

    async def lost(self, outcome: Outcome) -> tuple[str, ...]:
        return self.gone

    def note(self, text: str) -> None:
        self.notes.append(text)


async def through(pretends: Pretends) -> Outcome:
    return await run_through(cast(Runner, pretends), PLAN, cast(Reporter, pretends))


async def test_lost_blocks_are_made_again() -> None:
    """A step that failed because an earlier one is undone is tried again, and that is said."""
    pretends = Pretends(["the RAM market is not open yet"], ["system-contract"])
    outcome = await through(pretends)
    assert (outcome.failed, outcome.acted) == ({}, ["a"])
    assert len(pretends.notes) == 1
    assert "system-contract" in pretends.notes[0]


async def test_other_failures_are_final() -> None:
    """Where nothing was undone the failure is the result, at once; and a node that keeps crashing ends it, too."""
    final = Pretends(["refused", "refused"], [])
    assert (await through(final)).failed == {"a": "refused"}
    assert final.failures == ["refused"]
    crashing = Pretends(["gone"] * 9, ["genesis"])
    assert (await through(crashing)).failed == {"a": "gone"}
    assert len(crashing.failures) == 9 - CRASHES
