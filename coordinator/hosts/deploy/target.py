"""What the agent runs on."""

from __future__ import annotations

from dataclasses import dataclass

OLDEST_PYTHON = (3, 11)
MACHINES = ("x86_64", "aarch64")
"""Processors, as in uname -m."""


@dataclass(frozen=True)
class Target:
    """What a bundle must run on."""

    python: tuple[int, int]
    machine: str
    """The processor, as in uname -m."""
