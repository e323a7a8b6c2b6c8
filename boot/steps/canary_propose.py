"""The canary is proposed: a harmless transaction of eosio.prods (boot.canary)."""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.reads import until_resigned
from boot.step import ChainStep, Push, Reads, Verdict

KEY = "propose"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Proposed by eosio."""
    return (Push(KEY, (canary.propose(blueprint),), "eosio"),)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """The proposal is in the table; or it is executed, or being executed, which erased it there."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "executed")
    if (yield from canary.proposed(blueprint)):
        return Verdict((), "proposed")
    if (yield from canary.executing()):
        return Verdict((), "its execution is scheduled")
    return Verdict((KEY,), "not proposed")


STEP = ChainStep("canary-propose", "propose the canary", ("handover",), work, evidence)
