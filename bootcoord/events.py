"""What a boot reports while it runs, as values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from coordinator.reporter import StepResult


@dataclass(frozen=True)
class Noted:
    """A line for people about something that belongs to no step."""

    text: str


@dataclass(frozen=True)
class StepBegan:
    """A step has begun to work or to wait."""

    step: str
    title: str


@dataclass(frozen=True)
class StepMoved:
    """A step has progressed, or waits for something else."""

    step: str
    done: int
    total: int
    """0 if the step counts nothing."""
    detail: str


@dataclass(frozen=True)
class StepEnded:
    """A step has ended."""

    step: str
    title: str
    result: StepResult
    detail: str


Event = Noted | StepBegan | StepMoved | StepEnded
"""Everything that a boot reports."""


class Teller:
    """A `coordinator.reporter.Reporter` that turns what is reported into events."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell

    def note(self, text: str) -> None:
        """As Reporter.note."""
        self._tell(Noted(text))

    def began(self, step: str, title: str) -> None:
        """As Reporter.began."""
        self._tell(StepBegan(step, title))

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        """As Reporter.moved."""
        self._tell(StepMoved(step, done, total, detail))

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        """As Reporter.ended."""
        self._tell(StepEnded(step, title, result, detail))

    def asking(self) -> AbstractContextManager[object]:
        """As Reporter.asking."""
        return nullcontext()

    def close(self) -> None:
        """As Reporter.close."""


def unheard(event: Event) -> None:
    """Drops an event."""
