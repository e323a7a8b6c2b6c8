"""Casts the votes, in such an order that one transaction crosses the threshold when all is ready (boot.voting)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from antelope import actions
from antelope.transaction import Action
from boot.blueprint import Blueprint
from boot.reads import Asking, governed, resigned, row, verdict
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps.payment import OWN, billed
from boot.voting import Ballot, ballots, choreograph, one_holder_each
from inventory.sealed import SealedVote

Group = tuple[str, tuple[Ballot, ...]]
"""A transaction's key, and its ballots."""


def groups(blueprint: Blueprint) -> tuple[Group, ...]:
    """The pushes in their order; all ballots of one push have the same holder."""
    order = choreograph(ballots(blueprint))
    parts = [("early", one_holder_each(order.early)), ("late", one_holder_each(order.late))]
    early, late = ([(f"{name}-{n:03}", cast) for n, cast in enumerate(pushes)] for name, pushes in parts)
    crossing = [("crossing", order.crossing)] if order.crossing else []
    return (*early, *crossing, *late)


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """The early votes, the transaction that crosses the threshold, and the late votes; one by one and at the voters'
    own cost if eosio, which pays for them, has resigned already.
    """
    every = groups(blueprint)
    together = (Push(key, tuple(_cast(one) for one in cast), cast[0].holder) for key, cast in every)
    singly = (Push(OWN + one.vote.voter, (_vote(one),), one.holder, spare=True) for _, cast in every for one in cast)
    return (*together, *singly)


def _cast(ballot: Ballot) -> Action:
    return billed(_vote(ballot), ballot.holder)


def _vote(ballot: Ballot) -> Action:
    return actions.voteproducer(ballot.vote.voter, ballot.vote.proxy, ballot.vote.producers)


def evidence(blueprint: Blueprint) -> Reads:
    """One voter of each push voted as sealed: the others' votes were in the same transaction. Once the producers
    govern, a voter may have voted again, which leaves a weight, or unstaked, which leaves none.
    """
    every = dict(groups(blueprint))
    votes = f"{len(blueprint.sealed.votes)} votes"
    missing = yield from _lacking(every, _voted)
    if missing and (yield from governed()):
        missing = yield from _lacking(every, _ever_voted)
    if not missing:
        return Verdict((), votes)
    if (yield from resigned()):
        singly = {OWN + ballot.vote.voter: (ballot,) for key in missing for ballot in every[key]}
        return verdict((yield from _lacking(singly, _voted)), len(blueprint.sealed.votes), "votes")
    return verdict(missing, len(every), f"batches of {votes}")


def _lacking(pushes: Mapping[str, tuple[Ballot, ...]], cast: Callable[[SealedVote], Asking[bool]]) -> Asking[list[str]]:
    """The keys of the transactions whose last vote is missing."""
    missing = []
    for key, together in pushes.items():
        if not (yield from cast(together[-1].vote)):
            missing.append(key)
    return missing


def _voted(vote: SealedVote) -> Asking[bool]:
    entry = yield from row("eosio", "eosio", "voters", vote.voter)
    return entry is not None and _as_sealed(vote, str(entry["proxy"]), entry["producers"])


def _ever_voted(vote: SealedVote) -> Asking[bool]:
    """Whether the voter ever voted: the contract keeps the weight of its latest vote, whatever it was, as long as it
    has stake.
    """
    entry = yield from row("eosio", "eosio", "voters", vote.voter)
    return entry is not None and (float(entry["last_vote_weight"]) > 0 or not int(entry["staked"]))


def _as_sealed(vote: SealedVote, proxy: str, producers: Sequence[str]) -> bool:
    return proxy == vote.proxy and set(producers) == set(vote.producers)


STEP = ChainStep("votes", "cast the votes", ("synced",), work, evidence)
