"""What a step waits for while no boot runs."""

from __future__ import annotations

import pytest

from coordinator.engine.executor import StepState, Waiting
from coordinator.engine.reasons import Reasons
from coordinator.errors import UsageProblem
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from coordinator.workflows.why import why

RECORDS = {
    "genesis": StepRecord("genesis", StepResult.DONE, 1.0, "runs", 0),
    "votes": StepRecord("votes", StepResult.WAITS, 1.0, "40 M of 150 M staked", 0),
}


def test_what_is_on_record_is_told() -> None:
    """Done, waiting for others, or never begun because of an earlier step."""
    assert why("genesis", Reasons(), RECORDS) == "genesis (done): runs"
    assert why("votes", Reasons(), RECORDS).startswith("votes (waits): 40 M of 150 M staked; no boot is running")
    assert why("preactivate", Reasons(), RECORDS).startswith("preactivate (pending): was not begun;")
    assert why("handover", Reasons(), RECORDS).startswith("handover (pending): waits for votes")


def test_a_running_boot_knows_better() -> None:
    """Its answer counts, whatever is recorded."""
    reasons = Reasons()
    reasons.note(None, {"genesis": Waiting(StepState.CHECKING, "its evidence is being read", 0)})
    assert why("genesis", reasons, RECORDS).startswith("genesis (checking): its evidence is being read; since event 0")


def test_an_unknown_step_is_a_mistake_of_the_users() -> None:
    """The message says where the names are."""
    with pytest.raises(UsageProblem, match="there is no step 'handovr'; coord plan INVENTORY lists them"):
        why("handovr", Reasons(), {})
