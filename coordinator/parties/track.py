"""What the coordinator remembers of a party between two looks. All of it can be rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from coordinator.parties.progress import AccountState, Act


@dataclass
class Trouble:
    """The last failure of an act, and when it is retried."""

    error: str
    pause: float
    until: float


@dataclass
class Track:
    """In-memory state of one party. All of it can be rebuilt."""

    told: tuple[str, ...] | None = None
    account: AccountState = AccountState.UNKNOWN
    endpoint: str | None = None
    jobs: dict[bool, asyncio.Task[None]] = field(default_factory=dict)
    """Running acts; the key is whether it is the attestation, which takes minutes and must not block other acts."""
    trouble: dict[Act, Trouble] = field(default_factory=dict)

    def busy(self, act: Act) -> bool:
        """Whether the act must wait for one that is running."""
        job = self.jobs.get(act is Act.ATTEST)
        return job is not None and not job.done()

    def troubles(self) -> Mapping[Act, str]:
        """Acts that failed when last tried, and why."""
        return {act: one.error for act, one in self.trouble.items()}

    def due(self, now: float) -> frozenset[Act]:
        """Those of them that are to be tried again."""
        return frozenset(act for act, one in self.trouble.items() if now >= one.until)
