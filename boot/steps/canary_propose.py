"""The canary is proposed: a harmless transaction of eosio.prods (boot.canary).

Not before the elected are the schedule: eosio.msig asks already here whether those who are asked to approve could make
up eosio.prods' authority, which is the active schedule's.
"""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.step import ChainStep, Push, Reads, Verdict

KEY, ANEW = "propose", "propose/deputy"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Proposed by eosio; by a producer, should eosio have resigned before."""
    deputy = canary.deputy(blueprint)
    anew = Push(ANEW, (canary.propose(blueprint, deputy),), deputy, spare=True)
    return (Push(KEY, (canary.propose(blueprint),), canary.PROPOSER), anew)


def evidence(blueprint: Blueprint) -> Reads:
    """The proposal is in the table; or it is executed, or being executed, which erased it there."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "executed")
    proposer = yield from canary.proposer(blueprint)
    if (yield from canary.proposed(blueprint, proposer)):
        return Verdict((), f"proposed by {proposer}")
    if (yield from canary.executing()):
        return Verdict((), "its execution is scheduled")
    return Verdict((KEY if proposer == canary.PROPOSER else ANEW,), "not proposed")


STEP = ChainStep("canary-propose", "propose the canary", ("handover",), work, evidence)
