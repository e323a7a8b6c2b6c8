"""The elected producers approve the canary; two thirds plus one suffice."""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.step import ChainStep, Push, Reads, Verdict

ANEW = "/deputy"
"""Suffix of the key of an approval of the deputy's proposal."""


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Each elected producer signs its own approval, of eosio's proposal or of the deputy's."""
    deputy, elected = canary.deputy(blueprint), blueprint.sealed.elected
    ours = (Push(one, (canary.approve(blueprint, one),), one) for one in elected)
    anew = (Push(one + ANEW, (canary.approve(blueprint, one, deputy),), one, spare=True) for one in elected)
    return (*ours, *anew)


def evidence(blueprint: Blueprint) -> Reads:
    """As many approvals as eosio.prods' authority demands are recorded; or the proposal was executed."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "executed")
    proposer = yield from canary.proposer(blueprint)
    given = yield from canary.approvals(proposer)
    needed = yield from canary.threshold()
    if len(given & set(blueprint.sealed.elected)) >= needed:
        return Verdict((), f"approved by {len(given)}, {needed} are required")
    if (yield from canary.executing()):
        return Verdict((), "its execution is scheduled")
    missing = [producer for producer in blueprint.sealed.elected if producer not in given]
    keys = tuple(one if proposer == canary.PROPOSER else one + ANEW for one in missing)
    return Verdict(keys, f"{len(given)} approvals, {needed} needed; missing: {', '.join(missing)}")


STEP = ChainStep(
    "canary-approve", "let the producers approve the canary", ("canary-propose",), work, evidence, parallel=True
)
