"""The votes, so ordered that one transaction crosses the threshold, with everything in place (boot.voting)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import row, until_resigned, verdict
from boot.step import ChainStep, Push, Reads
from boot.voting import VOTES_PER_PUSH, Ballot, ballots, choreograph
from inventory.sealed import SealedVote

Group = tuple[str, tuple[Ballot, ...]]
"""A push's key, and the ballots in it."""


def groups(blueprint: Blueprint) -> tuple[Group, ...]:
    """The pushes in their order; all ballots of one push have the same holder."""
    order = choreograph(ballots(blueprint))
    crossing = [("crossing", order.crossing)] if order.crossing else []
    return (*_grouped("early", order.early), *crossing, *_grouped("late", order.late))


def _grouped(name: str, cast: Sequence[Ballot]) -> Iterator[Group]:
    ordered = sorted(cast, key=lambda ballot: ballot.holder)
    number = 0
    for _, same in groupby(ordered, key=lambda ballot: ballot.holder):
        held = tuple(same)
        for start in range(0, len(held), VOTES_PER_PUSH):
            yield f"{name}-{number:03}", held[start : start + VOTES_PER_PUSH]
            number += 1


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Early ones, the crossing transaction, late ones."""
    return tuple(
        Push(
            key,
            tuple(actions.voteproducer(one.vote.voter, one.vote.proxy, one.vote.producers) for one in cast),
            cast[0].holder,
        )
        for key, cast in groups(blueprint)
    )


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
    return verdict(missing, len(every), f"transactions with {len(blueprint.sealed.votes)} votes together")


def _as_sealed(vote: SealedVote, proxy: str, producers: Sequence[str]) -> bool:
    return proxy == vote.proxy and set(producers) == set(vote.producers)


STEP = ChainStep("votes", "cast the votes", ("synced",), work, evidence)
