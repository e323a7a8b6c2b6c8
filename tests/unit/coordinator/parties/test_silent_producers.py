"""Which scheduled producers sign no blocks, from observations of the head."""

from __future__ import annotations

from collections.abc import Sequence

from antelope.elections import TURN_SECONDS
from coordinator.parties.silent_producers import ROUNDS, Turns

SCHEDULE = ("alice", "bob", "carol")
PATIENCE = int(ROUNDS * TURN_SECONDS * len(SCHEDULE))


def _looks(turns: Turns, signers: Sequence[str], first: int, last: int) -> frozenset[str]:
    """A look a second at blocks of these, who sign in turn; what the last look says."""
    silent: frozenset[str] = frozenset()
    for second in range(first, last):
        signer = signers[second // int(TURN_SECONDS) % len(signers)]
        silent = turns.silent(SCHEDULE, 2 * second, signer, float(second))
    return silent


def test_who_lets_turns_pass_is_silent_until_it_signs() -> None:
    """Not before two rounds; a block of its own ends it."""
    turns = Turns()
    assert _looks(turns, ("alice", "carol"), 0, PATIENCE) == frozenset()
    assert _looks(turns, ("alice", "carol"), PATIENCE, PATIENCE + 3) == {"bob"}
    assert turns.silent(SCHEDULE, 9999, "bob", float(PATIENCE + 3)) == frozenset()


def test_a_head_that_stands_still_is_no_new_block() -> None:
    """The producer that signed it is silent like all others."""
    turns = Turns()
    found = [turns.silent(SCHEDULE, 100, "bob", float(second)) for second in range(PATIENCE + 3)]
    assert found[-1] == set(SCHEDULE)


def test_newcomers_and_gaps_begin_anew() -> None:
    """No producer is blamed for turns that it did not have, or that were not observed."""
    turns = Turns()
    _looks(turns, ("alice", "bob"), 0, PATIENCE + 3)
    assert turns.silent(("alice", "carol", "dave"), 9999, "alice", float(PATIENCE + 3)) == {"carol"}
    assert turns.silent(SCHEDULE, 99999, "alice", PATIENCE + 100.0) == frozenset()
