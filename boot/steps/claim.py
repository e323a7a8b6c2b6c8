"""Claims the rewards of the producers for which they are due, by the chain's own clock.

Not part of the boot: `coord claim` runs it.
"""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.claims import ELSEWHERE, chain_time, claims, through_vaulta
from boot.reads import ask, rows
from boot.step import ChainStep, Finality, Push, Reads, Verdict


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """One transaction for each producer, signed by itself."""
    return tuple(
        Push(one.account, (actions.claimrewards(one.account),), one.account) for one in blueprint.sealed.producers
    )


def evidence(blueprint: Blueprint) -> Reads:
    """The claims that the contract would accept now. The detail says when others are due, or why none is accepted."""
    if through_vaulta(blueprint):
        return Verdict((), ELSEWHERE)
    now = chain_time(str((yield from ask("/v1/chain/get_info"))["head_block_time"]))
    ours = {producer.account for producer in blueprint.sealed.producers}
    found = [one for one in claims((yield from rows("eosio", "eosio", "producers"))) if one.producer in ours]
    due = tuple(one.producer for one in found if one.is_due(now))
    if due:
        return Verdict(due, f"due: {', '.join(due)}")
    following = min(found, key=lambda one: one.due, default=None)
    if following is None:
        return Verdict((), "no producer is registered")
    return Verdict((), f"nothing is due; the next is {following.producer}, from {following.due:%Y-%m-%d %H:%M:%S} UTC")


STEP = ChainStep(
    "claim",
    "claim the producers' rewards",
    ("handover",),
    work,
    evidence,
    parallel=True,
    finality=Finality.IRREVERSIBLE,  # the audit's node, which reads the evidence, shows irreversible blocks only
)
