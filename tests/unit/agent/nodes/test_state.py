"""When a node that died is started again."""

from __future__ import annotations

import itertools

from agent.nodes.state import HEALTHY_SECONDS, PAUSES, Restarts


def due_times(restarts: Restarts, begin: float, seconds: float) -> list[float]:
    """When a node that is dead all the time is started, looking every half second."""
    looks = [begin + 0.5 * number for number in range(int(seconds * 2))]
    return [now for now in looks if restarts.due(now)]


def test_pauses_grow_and_end() -> None:
    """A node that keeps dying is started as often as there are pauses, each longer, and is then given up."""
    restarts = Restarts()
    times = due_times(restarts, 1000.0, 300)
    assert len(times) == len(PAUSES)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == sorted(gaps)
    assert restarts.given_up


def test_a_long_life_forgives() -> None:
    """A node that lived for a minute begins with the short pause again; one that died at once does not."""
    restarts = Restarts()
    due_times(restarts, 0.0, 3)
    count = restarts.count
    restarts.lives(10.0)
    restarts.lives(11.0)
    assert restarts.count == count
    restarts.lives(10.0 + HEALTHY_SECONDS)
    assert restarts.count == 0
    assert due_times(restarts, 100.0, 2)[0] == 100.0 + PAUSES[0]
