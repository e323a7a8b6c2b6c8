"""When a coordinator's state came to its machine, in Unix seconds, and which claims about that are believed."""

from __future__ import annotations

CLOCKS_APART = 86_400.0
"""Seconds by which the clock of the other side may be ahead."""


def credible(moved: int, now: float) -> bool:
    """Whether a claim is not from the future. One that is believed shuts out every coordinator with an earlier time."""
    return moved <= now + CLOCKS_APART
