"""How a run of the plan, and a whole boot, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from boot.step import Step
from inventory.sealed import Sealed


@dataclass
class Outcome:
    """How a run of the plan ended."""

    steps: Sequence[Step]
    settled: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Booted:
    """The result of a boot."""

    sealed: Sealed
    outcome: Outcome
    started: bool
    """Whether nodes or agents had to be started."""

    @property
    def changed(self) -> bool:
        """Whether this run did anything."""
        return self.started or bool(self.outcome.acted)
