"""Notices two machines that dial in as one host: each session replaces the other's, again and again."""

from __future__ import annotations

from collections import deque

MOST, SECONDS = 3, 30.0
"""Sessions that replaced an open one within so many seconds. An agent whose connection broke unseen does so once."""


class Takeovers:
    """The latest sessions of one agent that replaced another that was still open."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST)

    def note(self, now: float) -> None:
        """A session replaced another one. now: seconds of a monotonic clock."""
        self._times.append(now)

    def contested(self, now: float) -> bool:
        """Whether two machines seem to share the agent's certificate, as a machine and its copy do."""
        return len(self._times) == MOST and now - self._times[0] <= SECONDS
