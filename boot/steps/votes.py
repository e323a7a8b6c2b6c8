"""The votes, so ordered that one transaction crosses the threshold, with everything in place (boot.voting)."""

from __future__ import annotations

from collections.abc import Sequence

from antelope import actions
from antelope.transaction import Action
from boot.blueprint import Blueprint
from boot.reads import row, until_resigned, verdict
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps.payment import billed
from boot.voting import Ballot, ballots, choreograph, one_holder_each
from inventory.sealed import SealedVote

Group = tuple[str, tuple[Ballot, ...]]
"""A push's key, and the ballots in it."""


def groups(blueprint: Blueprint) -> tuple[Group, ...]:
    """The pushes in their order; all ballots of one push have the same holder."""
    order = choreograph(ballots(blueprint))
    parts = [("early", one_holder_each(order.early)), ("late", one_holder_each(order.late))]
    early, late = ([(f"{name}-{n:03}", cast) for n, cast in enumerate(pushes)] for name, pushes in parts)
    crossing = [("crossing", order.crossing)] if order.crossing else []
    return (*early, *crossing, *late)


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Early ones, the crossing transaction, late ones."""
    return tuple(Push(key, tuple(_cast(one) for one in cast), cast[0].holder) for key, cast in groups(blueprint))


def _cast(ballot: Ballot) -> Action:
    vote = ballot.vote
    return billed(actions.voteproducer(vote.voter, vote.proxy, vote.producers), ballot.holder)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """One voter of each push voted as sealed: the others' votes were in the same transaction."""
    every = groups(blueprint)
    missing = []
    for key, cast in every:
        vote = cast[-1].vote
        entry = yield from row("eosio", "eosio", "voters", vote.voter)
        if entry is None or not _as_sealed(vote, str(entry["proxy"]), entry["producers"]):
            missing.append(key)
    votes = f"{len(blueprint.sealed.votes)} votes"
    return verdict(missing, len(every), f"batches of {votes}") if missing else Verdict((), votes)


def _as_sealed(vote: SealedVote, proxy: str, producers: Sequence[str]) -> bool:
    return proxy == vote.proxy and set(producers) == set(vote.producers)


STEP = ChainStep("votes", "cast the votes", ("synced",), work, evidence)
