"""`coord status --why STEP`: what a step waits for, and since which event."""

from __future__ import annotations

from collections.abc import Mapping

from boot.plan import make_plan
from boot.steps import OPTIONAL, STEPS
from coordinator.advising import typed
from coordinator.engine.reasons import Reasons
from coordinator.errors import UsageProblem
from coordinator.state.folder import StepRecord


def check_step(name: str) -> None:
    """Raises UsageProblem when the boot has no such step."""
    if name not in {step.name for step in (*STEPS, *OPTIONAL)}:
        raise UsageProblem(f"there is no step {name!r}; {typed('plan')} lists them")


def why(name: str, reasons: Reasons, records: Mapping[str, StepRecord]) -> str:
    """One line: what the running boot says of the step, or else how it last ended. Raises UsageProblem."""
    check_step(name)
    try:
        return reasons.of(name).line()
    except KeyError:
        return _on_record(name, records)


def _on_record(name: str, records: Mapping[str, StepRecord]) -> str:
    record = records.get(name)
    if record is not None and record.done:
        return f"{name} (done): {record.detail or 'nothing is missing'}"
    if record is not None:
        return f"{name} ({record.result}): {record.detail}; no boot is running: {typed('boot')} continues with it"
    steps = {step.name: step for step in make_plan((*STEPS, *OPTIONAL)).steps}
    left = [needed for needed in steps[name].after if needed not in records or not records[needed].done]
    waits = f"waits for {', '.join(left)}" if left else "was not begun"
    return f"{name} (pending): {waits}; no boot is running: {typed('boot')} continues with it"
