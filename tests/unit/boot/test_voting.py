"""The order of the votes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from boot.blueprint import Blueprint
from boot.voting import ACTIVATION_STAKE, VOTES_PER_PUSH, Ballot, ballots, choreograph, first_election
from inventory.sealed import SealedVote

BALLOTS = st.lists(
    st.tuples(
        st.integers(0, 2 * ACTIVATION_STAKE) | st.integers(0, ACTIVATION_STAKE // 20),
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
    """Early votes stay below it; with the crossing ones it is reached, unless all votes together cannot."""
    order = choreograph(cast)
    early, crossing = (sum(one.stake for one in part) for part in (order.early, order.crossing))
    assert early < ACTIVATION_STAKE
    assert (early + crossing >= ACTIVATION_STAKE) == order.reaches
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


def test_the_first_election_counts_what_is_cast_until_then() -> None:
    """Late votes do not elect; proxied stake does, through what the proxy chose, and not without its vote."""
    third = ACTIVATION_STAKE // 3
    cast = [ballot(f"big{n}", third, producers=("a", "b")) for n in range(3)]
    cast += [ballot("via", 5, producers=(), proxy="big0"), ballot("lost", 7, producers=(), proxy="nobody")]
    assert first_election(choreograph(cast)) == ("a", "b")
    assert first_election(choreograph([*cast, ballot("one", 3, producers=("c",))]), size=2) == ("a", "b")
    late = ballot("late", ACTIVATION_STAKE // 2, "p1", ("z",))
    order = choreograph([*cast, late, ballot("late2", ACTIVATION_STAKE * 2 // 3, "p2", ("y",))])
    assert [one.vote.voter for one in order.late] == ["late"]
    assert first_election(order) == ("a", "b", "y")
