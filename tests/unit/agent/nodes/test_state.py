"""When a node that died is started again."""

from __future__ import annotations

import itertools

from agent.nodes.state import HEALTHY_SECONDS, PAUSES, Restarts


def due_times(restarts: Restarts, begin: float, seconds: float) -> list[float]:
    """The times at which a node that never lives is started, looking every half second."""
    looks = [begin + 0.5 * number for number in range(int(seconds * 2))]
    return [now for now in looks if restarts.due(now)]


def test_pauses_grow_and_end() -> None:
    """A node that keeps dying is started once per pause, each pause longer than the last, and is then given up."""
    restarts = Restarts()
    times = due_times(restarts, 1000.0, 300)
    assert len(times) == len(PAUSES)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert restarts.given_up


def test_a_long_life_forgives() -> None:
    """After a minute of life the pauses start over; after an immediate death they do not."""
    restarts = Restarts()
    due_times(restarts, 0.0, 3)
    count = restarts.count
    restarts.lives(10.0)
    restarts.lives(11.0)
    assert restarts.count == count
    restarts.lives(10.0 + HEALTHY_SECONDS)
    assert restarts.count == 0
    assert due_times(restarts, 100.0, 2)[0] == 100.0 + PAUSES[0]
