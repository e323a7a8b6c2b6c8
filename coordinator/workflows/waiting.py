"""Waits until a network has come as far as somebody wants it. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from coordinator.reporter import StepResult
from coordinator.workflows.looking import report
from inventory.network import Network
from support.retry import DeadlineError, poll

PHASES = {"live": ("live",), "voting": ("voting", "live")}
"""The phases in which each that can be waited for has been reached."""


async def wait(
    network: Network, root: Path, phase: str | None, block: int | None, lib: int | None, seconds: float,
    tell: Callable[[str], None],
) -> tuple[Mapping[str, Any], list[str]]:  # fmt: skip
    """The latest report, and what is missing in it; nothing: all that is asked for is true. tell: hears what is waited
    for, whenever that changes.
    """
    document: Mapping[str, Any] = {}
    left = ["nothing was heard of it"]

    async def reached() -> bool:
        nonlocal document, left
        document, _ = await report(network, root)
        before, left = left, missing(document, phase, block, lib)
        if left and left != before:
            tell(f"waiting: {'; '.join(left)}")
        return not left

    with suppress(DeadlineError):  # what is missing is told
        await poll(reached, what="the network", deadline=seconds)
    return document, left


def missing(document: Mapping[str, Any], phase: str | None, block: int | None, lib: int | None) -> list[str]:
    """What is not true yet of a status report; empty: nothing."""
    left = []
    if phase and document["phase"] not in PHASES[phase]:
        step = next((step["name"] for step in document["steps"] if step["state"] != StepResult.DONE), None)
        left.append(f"the phase is {document['phase']}, not {phase}{f', before step {step}' if step else ''}")
    if block and document["head_block"] < block:
        left.append(f"the head is block {document['head_block']}, not {block}")
    if lib and document["lib"] < lib:
        left.append(f"block {document['lib']} is irreversible, not {lib}")
    return left
