"""How often somebody may do something, so that nobody keeps the coordinator from the others."""

from __future__ import annotations

from collections import deque

REMEMBERED = 4096
"""Names that are remembered at once."""


class Throttle:
    """So many times in so many seconds, each name by itself: who overdoes it hinders nobody else."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._times: dict[str, deque[float]] = {}

    def allows(self, name: str, now: float) -> bool:
        """Whether that name may once more; counted if so. now: any clock that does not go back, in seconds."""
        times = self._times.setdefault(name, deque())
        while times and now - times[0] >= self._seconds:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        if len(self._times) > REMEMBERED:
            quiet = [other for other, seen in self._times.items() if not seen or now - seen[-1] >= self._seconds]
            for other in quiet:
                del self._times[other]
        return True
