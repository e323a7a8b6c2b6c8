"""`coord status --why STEP`: what a step waits for, and since which event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boot.plan import make_plan
from boot.steps import OPTIONAL, STEPS, steps_of
from coordinator.advising import typed
from coordinator.engine.executor import StepState
from coordinator.engine.reasons import Reason, Reasons
from coordinator.errors import UsageProblem
from coordinator.report.pulse import Working
from coordinator.report.tracking import AtWork
from coordinator.state.folder import StepRecord
from inventory.network import Network

BEFORE_STEPS = ("preflight", "parties")
"""What a boot does before the plan's steps, and reports like one."""


@dataclass(frozen=True)
class RunningBoot:
    """A boot that runs."""

    reasons: Reasons = field(default_factory=Reasons)
    """What its steps wait for; none before the first one begins."""
    at_work: AtWork = field(default_factory=AtWork)
    """What it is doing, also before the first step."""


def check_step(name: str) -> None:
    """Raises UsageProblem when the boot has no such step."""
    if name not in {*(step.name for step in (*STEPS, *OPTIONAL)), *BEFORE_STEPS}:
        raise UsageProblem(f"there is no step {name!r}; {typed('plan')} lists them")


def why(name: str, network: Network, records: Mapping[str, StepRecord], running: RunningBoot | None) -> str:
    """What the running boot says of the step, or else how it last ended. Raises UsageProblem.

    One line; for a step that waits for others, also a line for each that it waits for in the end.
    """
    check_step(name)
    if running is None:
        return _on_record(name, network, records)
    working = {one.step: one for one in running.at_work.working(1)}
    try:
        reason = running.reasons.of(name)
    except KeyError:
        return _before_steps(name, records.get(name), working, running.at_work.noted)
    behind = running.reasons.behind(name) if reason.state == StepState.PENDING.value else ()
    return "\n  ".join(_line(one, working.get(one.step)) for one in (reason, *behind))


def _line(reason: Reason, at_work: Working | None) -> str:
    """The reason, and what the step itself last reported of its work."""
    told = at_work.detail if at_work and reason.state == StepState.RUNNING.value else ""
    count = f"{at_work.done} of {at_work.total} done" if told and at_work and at_work.total else ""
    return f"{reason.line()}{''.join(f'; {part}' for part in (count, told) if part)}"


def _before_steps(name: str, record: StepRecord | None, working: Mapping[str, Working], noted: str) -> str:
    """What is said of a step while the boot has not begun any."""
    if own := working.get(name):
        return f"{name} (running): {own.detail or own.title}; for {own.seconds:.0f} s"
    if record is not None and record.done:
        return f"{name} (done): {record.detail or 'nothing is missing'}"
    at_work = ", ".join(f"{one.step} ({one.detail or one.title})" for one in working.values())
    doing = f"it is at work on {at_work}" if at_work else f"its latest line is: {noted}" if noted else "it is starting"
    return f"{name} (pending): the running boot has not begun its steps; {doing}"


def _on_record(name: str, network: Network, records: Mapping[str, StepRecord]) -> str:
    """How the step ended; for one that never began, also how the steps that it needs failed or were left waiting."""
    record = records.get(name)
    if record is not None and record.done:
        return f"{name} (done): {record.detail or 'nothing is missing'}"
    said, before = (record.detail, ()) if record is not None else _not_begun(name, network, records)
    state = str(record.result) if record is not None else StepState.PENDING.value
    stopped = "".join(f"\n  {one} ({records[one].result}): {records[one].detail}" for one in before)
    return f"{name} ({state}): {said}; no boot is running: {typed('boot')} continues with it{stopped}"


def _not_begun(name: str, network: Network, records: Mapping[str, StepRecord]) -> tuple[str, tuple[str, ...]]:
    """What a step without a record waits for, and which of the steps before it ended without being done."""
    if name in BEFORE_STEPS:
        return "every boot does it before its steps", ()
    plan = make_plan(steps_of(network))
    if name not in plan.by_name:
        plan = make_plan((*STEPS, *OPTIONAL))
    left = [needed for needed in plan.by_name[name].after if needed not in records or not records[needed].done]
    before = (step.name for step in plan.steps if step.name in plan.ancestors(name))
    stopped = tuple(one for one in before if one in records and not records[one].done)
    return f"waits for {', '.join(left)}" if left else "was not begun", stopped
