"""Each elected producer has signed blocks: being scheduled does not prove that it can."""

from __future__ import annotations

from antelope.elections import TURN_SECONDS
from boot.blueprint import Blueprint
from boot.reads import few, governed, rows
from boot.step import Reads, Verdict, WaitStep

ROUNDS = 4
"""Rounds of the schedule: one until all have had a turn, and three in reserve, because a producer that recovers signs
in its next turn.
"""


def evidence(blueprint: Blueprint) -> Reads:
    """Each elected producer has blocks in the contract's count. Once the producers govern, others may be elected, and a
    claim resets the count.
    """
    if (yield from governed()):
        return Verdict((), "the producers govern the chain, and sign its blocks")
    elected = blueprint.sealed.elected
    registered = yield from rows("eosio", "eosio", "producers")
    blocks = {str(entry["owner"]): int(entry["unpaid_blocks"]) for entry in registered}
    silent = sorted(producer for producer in elected if not blocks.get(producer))
    if silent:
        return Verdict(tuple(silent), f"scheduled, but no block seen yet from {few(silent)}")
    return Verdict((), f"{few(sorted(elected), 4)} sign the blocks")


def deadline(blueprint: Blueprint) -> float:
    """Seconds, by rounds of the schedule."""
    return 60 + ROUNDS * TURN_SECONDS * len(blueprint.sealed.elected)


STEP = WaitStep("turns", "wait until each elected producer has signed", ("handover",), evidence, deadline)
