"""What the rooms tell a user while they work. `report/progress.py` shows it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol


class StepResult(StrEnum):
    """How a step ended in one run."""

    DONE = "done"
    """This run did it."""
    ALREADY = "already"
    """It was done before."""
    FAILED = "failed"
    WAITS = "waits"
    """It depends on others; a later run continues."""


class Reporter(Protocol):
    """Receives everything that a user may want to see."""

    def note(self, text: str) -> None:
        """Something happened that belongs to no step."""

    def began(self, step: str, title: str) -> None:
        """A step has work to do, or waits."""

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        """A step got further, or what it waits for changed."""

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        """A step ended."""

    def asking(self) -> AbstractContextManager[object]:
        """A context during which nothing is drawn over a question on the terminal."""

    def close(self) -> None:
        """The last call: prints what is still held back."""
