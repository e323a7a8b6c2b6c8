"""Rate limits, so that no single agent can keep the coordinator busy."""

from __future__ import annotations

from collections import deque

REMEMBERED = 4096
"""Maximum number of names that are remembered."""


class Throttle:
    """At most `most` times per `seconds` for each name, counted separately."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._times: dict[str, deque[float]] = {}

    def allows(self, name: str, now: float) -> bool:
        """Whether the name is still within its limit; counts this time if so. now: seconds of a monotonic clock."""
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
