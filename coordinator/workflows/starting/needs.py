"""What a single step needs before it can run."""

from __future__ import annotations

from boot.plan import Plan
from boot.steps import STEPS
from coordinator.advising import typed
from coordinator.errors import UsageProblem
from coordinator.parties.open_network import OpenNetwork


def check_needs(opened: OpenNetwork, plan: Plan) -> None:
    """Raises UsageProblem for a single step (`--only`) if steps that it needs are not done."""
    records = opened.state.steps()
    lacking = [
        step.name
        for step in STEPS
        if step.name in plan.assumed and (step.name not in records or not records[step.name].done)
    ]
    if lacking:
        asked = plan.steps[0].name
        until = asked if asked in {step.name for step in STEPS} else lacking[-1]
        several = f"{lacking[0]} to {lacking[-1]}" if len(lacking) > 1 else lacking[0]
        raise UsageProblem(f"{asked} needs {several} done first; run: {typed('boot', '--until', until)}")
