"""Orders the votes so that the very first election elects the right schedule.

The system contract counts a voter's stake as activated with its first vote. When the activated stake has reached the
threshold, the next block elects from the votes that exist by then. The next election is a minute later, and a schedule
never shrinks. Therefore one transaction, with the heaviest votes, crosses the threshold.

If that transaction reaches the threshold alone, it is sent first. This suits contracts without a threshold too, such as
the bundled one, where the very first vote makes the next block elect. Otherwise, as many other votes as stay below the
threshold are sent before it. The remaining votes are sent last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from antelope.elections import MAX_SCHEDULE, MAX_VOTED_PRODUCERS, MIN_ACTIVATED_STAKE
from antelope.names import int_to_name, name_to_int
from boot.blueprint import Blueprint
from inventory.rows import Allocation
from inventory.sealed import SealedVote

VOTES_PER_PUSH = 30
CHOICES_PER_PUSH = 300
"""A vote takes about 50 µs of CPU for each producer it names (bundled contract): together 15 ms, a tenth of what a
transaction may take, because busy machines are several times slower."""
FEW_VOTERS = 16
"""Up to this number of accounts, finding each in the allocation is quicker than reading all rows."""


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
    """The votes of one transaction, all signed by the same holder."""
    late: tuple[Ballot, ...]

    @property
    def stake(self) -> int:
        """The stake that all votes together activate."""
        return _stake((*self.early, *self.crossing, *self.late))

    @property
    def reaches(self) -> bool:
        """Whether the votes suffice for an election."""
        return self.stake >= MIN_ACTIVATED_STAKE


def ballots(blueprint: Blueprint) -> tuple[Ballot, ...]:
    """The sealed votes with their stakes, as the allocation gives them."""
    stakes = _stakes(blueprint.rows, {vote.voter for vote in blueprint.sealed.votes})
    return tuple(
        Ballot(vote, stakes.get(vote.voter, 0), holder(blueprint, vote.voter)) for vote in blueprint.sealed.votes
    )


def _stakes(rows: Allocation, voters: set[str]) -> dict[str, int]:
    """The stakes of these accounts. If they are few, not all rows are read."""
    if len(voters) <= FEW_VOTERS:
        found = [row for row in map(rows.find, voters) if row]
        return {row.account: row.net + row.cpu for row in found}
    wanted = set(map(name_to_int, voters))
    return {int_to_name(name): net + cpu for name, _, _, net, cpu, _ in rows.every() if name in wanted}


def holder(blueprint: Blueprint, account: str) -> str:
    """The account whose agent signs this account's vote: a producer's own, or eosio's, which holds the users' keys."""
    return account if any(producer.account == account for producer in blueprint.sealed.producers) else "eosio"


def choreograph(cast: Iterable[Ballot]) -> Choreography:
    """Divides the ballots into transactions. Deterministic: by stake, then by name.

    The crossing transaction is the heaviest that one holder can sign, so no ballot that is left for later is heavier.
    If any ballot is late, the early and the crossing ones together reach the threshold.
    """
    ordered = sorted(cast, key=lambda ballot: (-ballot.stake, ballot.vote.voter))
    crossing = max((pushes[0] for pushes in _by_holder(ordered)), key=_stake, default=())
    chosen = set(crossing)
    rest = [ballot for ballot in ordered if ballot not in chosen]
    if _stake(crossing) >= MIN_ACTIVATED_STAKE:
        return Choreography((), crossing, tuple(rest))
    early, late, activated = [], [], 0
    for ballot in rest:
        if activated + ballot.stake < MIN_ACTIVATED_STAKE:
            activated += ballot.stake
            early.append(ballot)
        else:
            late.append(ballot)
    return Choreography(tuple(early), crossing, tuple(late))


def one_holder_each(cast: Iterable[Ballot]) -> tuple[tuple[Ballot, ...], ...]:
    """The ballots as transactions, each signed by one holder and small enough; eosio's first."""
    return tuple(push for pushes in _by_holder(cast) for push in pushes)


def _by_holder(cast: Iterable[Ballot]) -> list[list[tuple[Ballot, ...]]]:
    held: dict[str, list[Ballot]] = defaultdict(list)
    for ballot in cast:
        held[ballot.holder].append(ballot)
    return [_pushes(held[name]) for name in sorted(held, key=lambda name: (name != "eosio", name))]


def _pushes(cast: Sequence[Ballot]) -> list[tuple[Ballot, ...]]:
    pushes: list[tuple[Ballot, ...]] = []
    current: list[Ballot] = []
    choices = 0
    for ballot in cast:
        own = len(ballot.vote.producers) or MAX_VOTED_PRODUCERS  # a proxied vote moves the proxy's whole choice
        if current and (len(current) == VOTES_PER_PUSH or choices + own > CHOICES_PER_PUSH):
            pushes.append(tuple(current))
            current, choices = [], 0
        current.append(ballot)
        choices += own
    return [*pushes, tuple(current)] if current else pushes


def _stake(cast: Iterable[Ballot]) -> int:
    return sum(ballot.stake for ballot in cast)


def first_election(order: Choreography, size: int = MAX_SCHEDULE) -> tuple[str, ...]:
    """The producers that the first election elects, by weight, counting only early and crossing votes. Sorted by name.

    Proxied stake counts for the proxy's choice once the proxy has voted. The time of a vote does not matter, because
    the contract rounds it to the week, and all votes are cast in the same week.
    """
    cast = (*order.early, *order.crossing)
    choices = {ballot.vote.voter: ballot.vote.producers for ballot in cast}
    weights: dict[str, int] = defaultdict(int)
    for ballot in cast:
        for producer in choices.get(ballot.vote.proxy, ()) if ballot.vote.proxy else ballot.vote.producers:
            weights[producer] += ballot.stake
    voted = [account for account in weights if weights[account] > 0]
    ranked = sorted(voted, key=lambda account: (-weights[account], account))
    return tuple(sorted(ranked[:size]))


def wrong_election(blueprint: Blueprint) -> str:
    """What is wrong with the schedule of the first election, in one line; empty if it is the planned schedule.

    Empty also if the votes do not reach the threshold, because then others must vote too.
    """
    order = choreograph(ballots(blueprint))
    found, planned = set(first_election(order)), set(blueprint.sealed.elected)
    if not order.reaches or found == planned:
        return ""
    lacking, others = (", ".join(sorted(names)) or "none" for names in (planned - found, found - planned))
    return f"the first election is not of the planned producers: {lacking} missing, {others} too many"
