"""Tracks which steps of a boot are at work, from what the boot reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from coordinator.report.pace import usual_seconds
from coordinator.report.pulse import Working
from coordinator.reporter import Reporter, StepResult

Clock = Callable[[], float]
"""Monotonic seconds."""


@dataclass(frozen=True)
class _Step:
    title: str
    since: float
    detail: str = ""
    done: int = 0
    total: int = 0


class AtWork:
    """The steps at work, in the order in which they began."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._steps: dict[str, _Step] = {}
        self.over: set[str] = set()
        """The steps that have ended."""
        self.noted = ""
        """The latest line that belongs to no step."""

    @property
    def seconds(self) -> float:
        """Seconds since the boot began."""
        return self._clock() - self._began

    def began(self, step: str, title: str) -> None:
        """A step has begun."""
        self._steps.setdefault(step, _Step(title, self._clock()))

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        """A step has progressed, or waits for something else."""
        if known := self._steps.get(step):
            counted = replace(known, done=done, total=total) if total else known
            self._steps[step] = replace(counted, detail=detail or known.detail)

    def ended(self, step: str) -> None:
        """A step has ended."""
        self._steps.pop(step, None)
        self.over.add(step)

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Pieces done and in total, of those that count them."""
        return {name: (step.done, step.total) for name, step in self._steps.items() if step.total}

    def working(self, producers: int) -> tuple[Working, ...]:
        """All of them. producers: that the votes elect."""
        now = self._clock()
        return tuple(
            Working(
                name, step.title, step.detail, step.done, step.total, now - step.since, usual_seconds(name, producers)
            )
            for name, step in self._steps.items()
        )


class Tracking:
    """A reporter in front of another, for others that need to know: the status page, other terminals."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.at_work = AtWork()

    def note(self, text: str) -> None:
        self.at_work.noted = text
        self._reporter.note(text)

    def began(self, step: str, title: str) -> None:
        self.at_work.began(step, title)
        self._reporter.began(step, title)

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        self.at_work.moved(step, done, total, detail)
        self._reporter.moved(step, done, total, detail)

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self.at_work.ended(step)
        self._reporter.ended(step, title, result, detail)

    def asking(self) -> AbstractContextManager[object]:
        return self._reporter.asking()

    def close(self) -> None:
        self._reporter.close()
