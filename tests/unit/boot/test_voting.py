"""The order of the votes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.elections import MIN_ACTIVATED_STAKE
from boot import voting
from boot.blueprint import Blueprint
from boot.voting import (
    VOTES_PER_PUSH,
    Ballot,
    ballots,
    choreograph,
    first_election,
    one_holder_each,
    wrong_election,
)
from inventory.sealed import SealedVote

BALLOTS = st.lists(
    st.tuples(
        st.integers(0, 2 * MIN_ACTIVATED_STAKE) | st.integers(0, MIN_ACTIVATED_STAKE // 20),
        st.sampled_from(["eosio", "p1", "p2"]),
    ),
    max_size=120,
).map(lambda drawn: [ballot(f"u{n}", stake, holder) for n, (stake, holder) in enumerate(drawn)])


def ballot(
    voter: str, stake: int, holder: str = "eosio", producers: tuple[str, ...] = ("p",), proxy: str = ""
) -> Ballot:
    """A ballot of that voter."""
    return Ballot(SealedVote(voter, proxy, producers), stake, holder)


@given(BALLOTS)
def test_one_transaction_crosses_the_threshold(cast: list[Ballot]) -> None:
    """Early votes stay below it; the crossing transaction reaches it, unless all votes together do not."""
    order = choreograph(cast)
    early, crossing = (sum(one.stake for one in part) for part in (order.early, order.crossing))
    assert early < MIN_ACTIVATED_STAKE
    assert (early + crossing >= MIN_ACTIVATED_STAKE) == order.reaches
    assert order.reaches or not order.late


@given(BALLOTS)
def test_every_ballot_is_cast_once_and_can_be_signed(cast: list[Ballot]) -> None:
    """No ballot is lost or doubled; the crossing ones fit one transaction of one holder."""
    order = choreograph(cast)
    everything = [one.vote.voter for part in (order.early, order.crossing, order.late) for one in part]
    assert sorted(everything) == sorted(one.vote.voter for one in cast)
    assert len({one.holder for one in order.crossing}) <= 1
    assert len(order.crossing) <= VOTES_PER_PUSH


@given(BALLOTS, st.randoms())
def test_the_order_does_not_depend_on_the_input(cast: list[Ballot], random: object) -> None:
    """Everybody derives the same transactions."""
    shuffled = list(cast)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choreograph(shuffled) == choreograph(cast)


def test_stake_and_holder_come_from_the_seal(blueprint: Blueprint) -> None:
    """A voter's stake is its NET and CPU; producers sign their own votes, users' keys are with eosio's."""
    found = {one.vote.voter: (one.stake, one.holder) for one in ballots(blueprint)}
    assert found["userrich"] == (1_000_000_000_000, "eosio")
    assert found["prodlost"] == (7, "prodlost")


def test_a_crossing_that_suffices_comes_first() -> None:
    """Contracts without a threshold elect after the first vote, so nothing goes before a crossing transaction."""
    order = choreograph([ballot("small", 3, producers=("z",)), ballot("big", MIN_ACTIVATED_STAKE, producers=("a",))])
    assert order.early == ()
    assert [one.vote.voter for one in order.crossing] == ["big", "small"]
    order = choreograph(
        [ballot("own", 3, "p1", producers=("z",)), ballot("big", MIN_ACTIVATED_STAKE, producers=("a",))]
    )
    assert [one.vote.voter for one in order.late] == ["own"]


def test_early_votes_do_not_reach_the_threshold() -> None:
    """Reaching it exactly is crossing it: such a vote waits for the crossing transaction."""
    half = MIN_ACTIVATED_STAKE // 2
    cast = [ballot("big", half + 1), ballot("half", half, "p1"), ballot("rest", half - 1, "p2"), ballot("one", 1, "p3")]
    order = choreograph(cast)
    assert [one.vote.voter for one in order.early] == ["half", "rest"]
    assert [one.vote.voter for one in order.late] == ["one"]


def test_transactions_are_small_enough() -> None:
    """Votes for thirty producers take ten to a transaction, those for one take thirty; eosio's come first."""
    thirty = tuple(f"p{n:02}" for n in range(30))
    wide = [ballot(f"w{n}", 1, producers=thirty) for n in range(25)]
    assert [len(push) for push in one_holder_each(wide)] == [10, 10, 5]
    narrow = [ballot("p", 1, "aholder"), *(ballot(f"n{n}", 1) for n in range(31))]
    assert [(push[0].holder, len(push)) for push in one_holder_each(narrow)] == [
        ("eosio", 30),
        ("eosio", 1),
        ("aholder", 1),
    ]


def test_the_first_election_counts_what_is_cast_until_then() -> None:
    """Late votes do not elect; proxied stake counts through the proxy's vote, and not without it."""
    third = MIN_ACTIVATED_STAKE // 3
    cast = [ballot(f"big{n}", third, producers=("a", "b")) for n in range(3)]
    cast += [ballot("via", 5, producers=(), proxy="big0"), ballot("lost", 7, producers=(), proxy="nobody")]
    assert first_election(choreograph(cast)) == ("a", "b")
    assert first_election(choreograph([*cast, ballot("one", 3, producers=("c",))]), size=2) == ("a", "b")
    assert first_election(choreograph([*cast, ballot("late", 2 * third, "p1", ("z",))])) == ("a", "b")
    early = choreograph([*cast[:2], ballot("early", third, "p1", ("y",))])
    assert [one.vote.voter for one in early.early] == ["early"]
    assert first_election(early) == ("a", "b", "y")


def test_an_election_of_others_is_said_before_the_boot(blueprint: Blueprint) -> None:
    """The line names who is missing, and who would be elected instead."""
    assert wrong_election(blueprint) == ""
    votes = tuple(replace(vote, producers=("prodlost",) if vote.producers else ()) for vote in blueprint.sealed.votes)
    other = replace(blueprint, sealed=replace(blueprint.sealed, votes=votes))
    said = "the first election is not of the planned producers: prodwon missing, prodlost too many"
    assert wrong_election(other) == said


def test_few_voters_have_the_stakes_that_a_walk_finds(blueprint: Blueprint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found one by one where they are few, and in one walk where they are many."""
    few = voting.ballots(blueprint)
    monkeypatch.setattr(voting, "FEW_VOTERS", 0)
    assert few == voting.ballots(blueprint)
    assert all(ballot.stake for ballot in few)
