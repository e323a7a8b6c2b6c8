"""Each elected producer has signed blocks: being scheduled does not prove that it can."""

from __future__ import annotations

from antelope.elections import TURN_SECONDS
from boot.blueprint import Blueprint
from boot.reads import few, governed, rows
from boot.step import Reads, Verdict, WaitStep

ROUNDS = 4
"""One until all have had a turn, and three to spare: a producer that is back from trouble signs in its next."""


def evidence(blueprint: Blueprint) -> Reads:
    """Each of the elected has blocks in the contract's count. Once the producers govern, others may be elected, and a
    claim begins the count anew.
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
