"""The canary is proposed: a harmless transaction of eosio.prods (boot.canary).

The elected producers must be the schedule first: eosio.msig checks at the proposal whether the requested approvals can
satisfy the authority of eosio.prods, which is that of the active schedule.
"""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.step import ChainStep, Push, Reads, Verdict

KEY, ANEW = "propose", "propose/deputy"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """The proposal by eosio, or by a producer if eosio has resigned already."""
    deputy = canary.deputy(blueprint)
    anew = Push(ANEW, (canary.propose(blueprint, deputy),), deputy, spare=True)
    return (Push(KEY, (canary.propose(blueprint),), canary.PROPOSER), anew)


def evidence(blueprint: Blueprint) -> Reads:
    """The proposal is in the table, or it was removed from there because it was executed or is being executed."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "executed")
    proposer = yield from canary.proposer(blueprint)
    if (yield from canary.proposed(blueprint, proposer)):
        return Verdict((), f"proposed by {proposer}")
    if (yield from canary.executing()):
        return Verdict((), "its execution is scheduled")
    return Verdict((KEY if proposer == canary.PROPOSER else ANEW,), "not proposed")


STEP = ChainStep("canary-propose", "propose the canary", ("handover",), work, evidence)
