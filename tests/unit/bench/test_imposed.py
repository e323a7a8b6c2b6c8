"""What the chain imposes, by the rules of nodeos: compared with what was seen on real nodeos."""

from __future__ import annotations

import pytest

from bench.imposed import handover


@pytest.mark.parametrize(
    ("producers", "canary", "resigned"),
    [
        (1, (1.0, 1.0), (2.0, 2.0)),
        (4, (37.0, 43.0), (61.0, 67.0)),  # seen: 40.2 and 64.2 s
        (21, (283.0, 289.0), (451.0, 457.0)),
    ],
)
def test_seconds_until_irreversible(producers: int, canary: tuple[float, float], resigned: tuple[float, float]) -> None:
    """Wherever in a turn the new schedule begins: a few seconds more or less, and never less than a round."""
    for slot in range(12 * producers):
        imposed = handover(producers, 50, slot)
        assert canary[0] <= imposed.canary / 2 <= canary[1]
        assert resigned[0] <= imposed.resigned / 2 <= resigned[1]
