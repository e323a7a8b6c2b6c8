"""Predicts the system contract's count: the votes, and who is elected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from antelope.elections import MAX_SCHEDULE
from antelope.names import name_to_int
from inventory.allocation import user_names
from inventory.network import Network
from inventory.planned import PlannedVote


@dataclass(frozen=True)
class Outcome:
    """The result of the planned votes."""

    stake: int
    """The voting stake, in the smallest unit."""
    elected: tuple[str, ...]
    """In the contract's order: by votes, then by the name's value."""


def ballots(network: Network, imported: Sequence[str] = ()) -> tuple[PlannedVote, ...]:
    """Every planned vote: by the richest users, proxies and users who vote by proxy; written votes replace these."""
    ordered = tuple(sorted(network.elected, key=name_to_int))
    plan = network.votes
    names = user_names(network, imported, plan.voters + plan.proxied)
    votes = {name: PlannedVote(name, ordered) for name in (*names[: plan.voters], *plan.proxies)}
    for name in names[plan.voters : plan.voters + plan.proxied]:
        if name not in plan.proxies:
            votes[name] = PlannedVote(name, proxy=plan.proxies[0])
    votes.update((vote.voter, vote) for vote in plan.written)
    return tuple(votes.values())


def count(votes: Sequence[PlannedVote], staked: Mapping[str, int], producers: Sequence[str]) -> Outcome:
    """Counts votes by stake (CPU and NET together); accounts without stake do not count."""
    through: dict[str, int] = defaultdict(int)
    for vote in votes:
        if vote.proxy:
            through[vote.proxy] += staked.get(vote.voter, 0)
    tally = dict.fromkeys(producers, 0)
    for vote in votes:
        for producer in vote.producers:
            tally[producer] += staked.get(vote.voter, 0) + through[vote.voter]
    ranked = sorted((name for name in producers if tally[name]), key=lambda name: (-tally[name], name_to_int(name)))
    return Outcome(sum(staked.get(vote.voter, 0) for vote in votes), tuple(ranked[:MAX_SCHEDULE]))
