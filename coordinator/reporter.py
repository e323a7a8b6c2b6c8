"""How the coordinator's packages report to the user while they work. `report/progress.py` shows it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol


class StepResult(StrEnum):
    """How a step ended in one run."""

    DONE = "done"
    """Done in this run."""
    ALREADY = "already"
    """Done before this run."""
    FAILED = "failed"
    WAITS = "waits"
    """Depends on other people; a later run continues."""


class Reporter(Protocol):
    """Receives everything that a user may want to see during a command."""

    def note(self, text: str) -> None:
        """Reports something that belongs to no step."""

    def began(self, step: str, title: str) -> None:
        """A step has begun to work or to wait."""

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        """A step has progressed, or waits for something else."""

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        """A step has ended."""

    def asking(self) -> AbstractContextManager[object]:
        """A context in which nothing is drawn over a question on the terminal."""

    def close(self) -> None:
        """The last call: prints what is still buffered."""
