"""In which order the votes are cast, so that the first election already elects the right schedule.

The system contract counts a voter's stake as activated with its first vote. The first block after the activated stake
has reached the threshold elects from whatever votes there are, the next election is a minute later, and a schedule
never shrinks again. So small votes go first, as long as they stay below the threshold; one transaction then carries the
largest ones and crosses it; what fitted into neither comes last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from boot.blueprint import Blueprint
from inventory.sealed import SealedVote

ACTIVATION_STAKE = 1_500_000_000_000
"""Smallest units: `min_activated_stake`, a constant of eosio.system, 15 % of 1,000,000,000.0000 tokens."""
VOTES_PER_PUSH = 30
"""A vote for 30 producers takes about 0.3 ms of CPU: well below nodeos' 30 ms a transaction on a slow machine."""


@dataclass(frozen=True)
class Ballot:
    """A vote with the stake that it activates (smallest units) and the account whose agent signs it."""

    vote: SealedVote
    stake: int
    holder: str


@dataclass(frozen=True)
class Choreography:
    """The order of the votes."""

    early: tuple[Ballot, ...]
    crossing: tuple[Ballot, ...]
    """One transaction: all of one holder, at most VOTES_PER_PUSH."""
    late: tuple[Ballot, ...]

    @property
    def stake(self) -> int:
        """What all votes together activate."""
        return sum(ballot.stake for part in (self.early, self.crossing, self.late) for ballot in part)

    @property
    def reaches(self) -> bool:
        """Whether the votes suffice for an election."""
        return self.stake >= ACTIVATION_STAKE


def ballots(blueprint: Blueprint) -> tuple[Ballot, ...]:
    """The sealed votes with their stakes, as the allocation gives them."""
    stakes = {row.account: row.net + row.cpu for row in blueprint.rows}
    return tuple(
        Ballot(vote, stakes.get(vote.voter, 0), holder(blueprint, vote.voter)) for vote in blueprint.sealed.votes
    )


def holder(blueprint: Blueprint, account: str) -> str:
    """Whose agent signs for a staked account: a producer's its own; the users' keys are with eosio's."""
    return account if any(producer.account == account for producer in blueprint.sealed.producers) else "eosio"


def choreograph(cast: Sequence[Ballot]) -> Choreography:
    """Shares the ballots out. Deterministic: by stake, then by name.

    The crossing transaction is the heaviest that one holder can sign. All others go early, the heaviest first, unless
    they would reach the threshold by themselves. A ballot that must wait is no heavier than the crossing, so early and
    crossing ones together reach the threshold whenever anything is late.
    """
    ordered = sorted(cast, key=lambda ballot: (-ballot.stake, ballot.vote.voter))
    by_holder: dict[str, list[Ballot]] = defaultdict(list)
    for ballot in ordered:
        by_holder[ballot.holder].append(ballot)
    heaviest = max(by_holder.values(), key=_weight_of_one_push, default=[])[:VOTES_PER_PUSH]
    chosen = {ballot.vote.voter for ballot in heaviest}
    early, late, activated = [], [], 0
    for ballot in ordered:
        if ballot.vote.voter in chosen:
            continue
        if activated + ballot.stake < ACTIVATION_STAKE:
            activated += ballot.stake
            early.append(ballot)
        else:
            late.append(ballot)
    return Choreography(tuple(early), tuple(heaviest), tuple(late))


def _weight_of_one_push(ordered: Sequence[Ballot]) -> int:
    return sum(ballot.stake for ballot in ordered[:VOTES_PER_PUSH])


def first_election(order: Choreography, size: int = 21) -> tuple[str, ...]:
    """Who the first election elects, by weight: only early and crossing votes count. Sorted by name.

    Proxied stake counts for the proxy's choice once the proxy has voted. The time of a vote does not matter: all are
    cast within the same week, to which the contract rounds.
    """
    cast = (*order.early, *order.crossing)
    choices: Mapping[str, tuple[str, ...]] = {ballot.vote.voter: ballot.vote.producers for ballot in cast}
    weights: dict[str, int] = defaultdict(int)
    for ballot in cast:
        for producer in choices.get(ballot.vote.proxy, ()) if ballot.vote.proxy else ballot.vote.producers:
            weights[producer] += ballot.stake
    voted = [account for account in weights if weights[account] > 0]
    ranked = sorted(voted, key=lambda account: (-weights[account], account))
    return tuple(sorted(ranked[:size]))
