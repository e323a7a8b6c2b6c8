"""How long the chain's own rules make a boot wait, so that a user knows what is normal. Pure.

A producer signs for a turn of 12 blocks, 6 s. A block is irreversible when two thirds and one have confirmed that two
thirds and one had confirmed it (before Savanna): about two passes over that many turns.
"""

from __future__ import annotations

from collections.abc import Collection

from antelope.elections import BLOCK_SECONDS, TURN_SECONDS


def final_seconds(producers: int) -> float:
    """Until a block is irreversible under a schedule of that many."""
    if producers <= 1:
        return BLOCK_SECONDS
    quorum = producers * 2 // 3 + 1
    return (2 * quorum - 1) * TURN_SECONDS


def usual_seconds(step: str, producers: int) -> float | None:
    """How long a step waits for the chain after it could begin; None for one that does not wait for the chain's rules.

    producers: that the votes elect.
    """
    match step:
        case "turns":
            return producers * TURN_SECONDS
        case "canary-exec" | "resign":
            return final_seconds(producers)
        case "handover":
            return 2 * BLOCK_SECONDS
    return None


def left(pending: Collection[str], running: Collection[tuple[str, float]], producers: int) -> float:
    """Seconds that the chain's rules still take. pending: steps that have not begun. running: with their seconds so
    far. The elected producers' turns pass while the canary becomes irreversible.
    """
    waits = {step: usual_seconds(step, producers) or 0.0 for step in pending}
    for step, seconds in running:
        waits[step] = max((usual_seconds(step, producers) or 0.0) - seconds, 0.0)
    turns = waits.pop("turns", 0.0)
    return max(turns, waits.pop("canary-exec", 0.0)) + sum(waits.values())
