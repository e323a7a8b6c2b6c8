"""Explains, while the boot runs, what each step waits for.

Every event of the executor has a number. A reason says what a step waits for, and since which event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coordinator.engine.executor import Checked, Event, Overdue, Ran, StepState, Waiting, shown


@dataclass(frozen=True)
class Reason:
    """What one step waits for."""

    step: str
    state: str
    """pending, checking, running, done, waits or failed."""
    what: str
    """One line: the steps, hosts or evidence that it waits for."""
    event: int
    """The number of the event since which this holds; 0 if since the run began."""
    cause: str
    """That event, in one line."""
    seconds: float
    """Seconds since that event."""
    on: tuple[str, ...] = ()
    """The names of what it waits for, as in `Waiting`."""

    def line(self) -> str:
        """The reason as one line of text."""
        since = f"since event {self.event}, {self.seconds:.0f} s ago ({self.cause})"
        begun = f"since {self.cause}, {self.seconds:.0f} s ago"
        return f"{self.step} ({self.state}): {self.what}; {since if self.event else begun}"


class Reasons:
    """What every step of the running boot waits for. The runner updates it; other terminals query it."""

    def __init__(self, changed: Callable[[Reason], None] = lambda reason: None) -> None:
        """changed: is called with each new reason."""
        self._changed = changed
        self._known: dict[str, tuple[Waiting, float]] = {}
        self._causes: dict[int, str] = {0: "the run began"}

    def note(self, event: Event | None, waiting: Mapping[str, Waiting]) -> None:
        """Updates the reasons after an event; None at the beginning of a run."""
        if event is None:
            self._known.clear()
            self._causes = {0: "the run began"}
        else:
            self._causes[event.id] = describe(event)
        now = time.monotonic()
        for step, one in waiting.items():
            known = self._known.get(step)
            if known is None or known[0] != one:
                self._known[step] = (one, now)
                self._changed(self.of(step))
        needed = {one.since for one, _ in self._known.values()}
        self._causes = {number: cause for number, cause in self._causes.items() if number in needed}

    def of(self, step: str) -> Reason:
        """What the step waits for. Raises KeyError if the run has no such step."""
        waiting, since = self._known[step]
        cause = self._causes.get(waiting.since, "an earlier event")
        seconds = time.monotonic() - since
        return Reason(step, waiting.state.value, waiting.what, waiting.since, cause, seconds, waiting.on)

    def behind(self, step: str) -> tuple[Reason, ...]:
        """What a pending step waits for in the end: the begun or ended steps among all that it needs."""
        found: dict[str, Reason] = {}
        seen, left = {step}, [step]
        while left:
            reason = self.of(left.pop(0))
            if reason.state != StepState.PENDING.value:
                found[reason.step] = reason
                continue
            left += [name for name in reason.on if name not in seen]
            seen.update(reason.on)
        found.pop(step, None)
        return tuple(found.values())

    def all(self) -> tuple[Reason, ...]:
        """What each step of the run waits for; empty before a run."""
        return tuple(self.of(step) for step in self._known)


def describe(event: Event) -> str:
    """The event in one line."""
    match event:
        case Checked(step=step, verdict=verdict):
            return f"the evidence of {step} was read: {shown(verdict)}"
        case Ran(step=step, host=host, error=error):
            return f"{host} could not carry out {step}: {error}" if error else f"{host} carried out {step}"
        case Overdue(step=step, reason=reason):
            return f"{step} can no longer happen: {reason}" if reason else f"the deadline of {step} passed"
