"""How a network is, in a word."""

from __future__ import annotations

import pytest

from coordinator.report.status import phase
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord

DONE = {"resign": StepRecord("resign", StepResult.DONE, 1.0, "", 5)}
WAITS = {"votes": StepRecord("votes", StepResult.WAITS, 0.0, "", 0)}


@pytest.mark.parametrize(
    ("sealed", "steps", "states", "word"),
    [
        (False, {}, (), "planned"),
        (True, {}, ("running", "unknown"), "booting"),
        (True, WAITS, ("running",), "voting"),
        (True, DONE, ("running", "stopped"), "live"),
        (True, DONE, ("stopped", "failed"), "down"),
        (True, DONE, ("stopped", "unknown"), "unknown"),
    ],
)
def test_phase(sealed: bool, steps: dict[str, StepRecord], states: tuple[str, ...], word: str) -> None:
    """A network whose hosts cannot be reached is not called down."""
    assert phase(sealed, steps, states) == word
