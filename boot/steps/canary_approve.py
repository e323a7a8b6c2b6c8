"""The elected producers approve the canary; two thirds plus one suffice."""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.reads import until_resigned
from boot.step import ChainStep, Push, Reads, Verdict


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Each elected producer is asked, and signs its own."""
    return tuple(
        Push(producer, (canary.approve(blueprint, producer),), producer) for producer in blueprint.sealed.elected
    )


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """As many approvals as eosio.prods' authority demands are recorded; or the proposal was executed."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "executed")
    given = yield from canary.approvals()
    needed = yield from canary.threshold()
    if len(given & set(blueprint.sealed.elected)) >= needed:
        return Verdict((), f"approved by {len(given)}, {needed} must")
    if (yield from canary.executing()):
        return Verdict((), "its execution is scheduled")
    missing = tuple(producer for producer in blueprint.sealed.elected if producer not in given)
    return Verdict(missing, f"{len(given)} approvals, {needed} needed; missing: {', '.join(missing)}")


STEP = ChainStep(
    "canary-approve", "let the producers approve the canary", ("canary-propose",), work, evidence, parallel=True
)
