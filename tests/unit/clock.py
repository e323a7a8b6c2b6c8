"""A clock for tests: seconds pass at once when nobody has anything to do before."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer: for work that waits for timers, not for other processes."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__()

    def time(self) -> float:
        """Seconds since it began."""
        return self._now

    def _run_once(self) -> None:
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready:  # type: ignore[attr-defined]
            self._now = max(self._now, min(timers))
        super()._run_once()  # type: ignore[misc]


def played(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What the work returns, and the seconds that passed on its clock."""
    clock = Clock()
    with asyncio.Runner(loop_factory=lambda: clock) as runner:
        result = runner.run(work)
        return result, clock.time()
