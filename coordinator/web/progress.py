"""Counts the pieces of work that are done of each step, and passes on all that a command reports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from coordinator.reporter import Reporter, StepResult


class Progress:
    """A reporter in front of another. Of what passes it keeps numbers only: a text may hold what is not for all."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._counts: dict[str, tuple[int, int]] = {}

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Pieces done and in total, by step."""
        return dict(self._counts)

    def note(self, text: str) -> None:
        self._reporter.note(text)

    def began(self, step: str, title: str) -> None:
        self._reporter.began(step, title)

    def moved(self, step: str, done: int, total: int, detail: str) -> None:
        if total:
            self._counts[step] = done, total
        self._reporter.moved(step, done, total, detail)

    def ended(self, step: str, title: str, result: StepResult, detail: str) -> None:
        self._counts.pop(step, None)
        self._reporter.ended(step, title, result, detail)

    def asking(self) -> AbstractContextManager[object]:
        return self._reporter.asking()

    def close(self) -> None:
        self._reporter.close()
