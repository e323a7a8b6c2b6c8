"""Waits until a network has reached a phase or a block. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coordinator.report.shown import ShownStatus
from coordinator.report.status import Phase
from inventory.network import Network
from support.retry import DeadlineError, poll

from .status import report

PHASES = {Phase.LIVE: (Phase.LIVE,), Phase.VOTING: (Phase.VOTING, Phase.LIVE)}
"""The phases that can be waited for, each with those in which it has been reached."""


async def wait(
    network: Network, root: Path, phase: Phase | None, block: int | None, lib: int | None, seconds: float,
    tell: Callable[[str], None],
) -> tuple[ShownStatus | None, list[str]]:  # fmt: skip
    """Returns the latest report, and which conditions are not met; none if all are. tell: is called with what is waited
    for, whenever that changes.
    """
    shown: ShownStatus | None = None
    left = ["its state could not be read"]

    async def reached() -> bool:
        nonlocal shown, left
        shown = await report(network, root)
        before, left = left, missing(shown, phase, block, lib)
        if left and left != before:
            tell(f"waiting: {'; '.join(left)}")
        return not left

    with suppress(DeadlineError):  # the missing part is reported
        await poll(reached, what="the network", deadline=seconds)
    return shown, left


def missing(shown: ShownStatus, phase: Phase | None, block: int | None, lib: int | None) -> list[str]:
    """The part that is not true yet; empty if all of it is."""
    left = []
    if phase and shown.phase not in PHASES[phase]:
        before = f", before step {shown.left[0]}" if shown.left else ""
        left.append(f"the phase is {shown.phase}, not {phase}{before}")
    if block and shown.head < block:
        left.append(f"the head is block {shown.head}, not {block}")
    if lib and shown.lib < lib:
        left.append(f"block {shown.lib} is irreversible, not {lib}")
    return left
