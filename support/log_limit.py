"""Limits a log: if one place in the program logs too many lines, only a few are written and the others are counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST = 200
"""Lines from one place in the program that are written without limit: more than a boot has."""
SECONDS = 10.0
"""After those, at most one line in this many seconds."""


@dataclass
class _Place:
    left: float
    at: float
    """When the place last logged; seconds."""
    omitted: int = 0


class LogLimit(logging.Filter):
    """Drops excess lines, and says so in the next line that is written from the same place."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: a monotonic time in seconds."""
        super().__init__()
        self._clock = clock
        self._places: dict[tuple[str, int], _Place] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        now = self._clock()
        place = self._places.setdefault((record.pathname, record.lineno), _Place(BURST, now))
        place.left = min(BURST, place.left + (now - place.at) / SECONDS)
        place.at = now
        if place.left < 1:
            place.omitted += 1
            return False
        place.left -= 1
        if place.omitted:
            record.msg, record.args = f"{record.getMessage()} ({place.omitted} lines like this were left out)", ()
            place.omitted = 0
        return True
