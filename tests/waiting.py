"""Waiting for a fact that no event announces: what other processes do. In coroutines: support.retry.poll."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[..., T], what: str, seconds: float = 30.0, every: float = 0.05) -> T:
    """What the condition returns, once that is true. Fails after these seconds. every: seconds between two checks."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}"
        time.sleep(every)
    return found
