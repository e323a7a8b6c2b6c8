"""When producers may claim."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from boot.claims import chain_time, claims


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05.500", 1767323045500000, "1767323045500000"])
def test_both_forms_of_a_time(text: str | int) -> None:
    """ISO text of today's nodeos and microseconds of older contracts mean the same."""
    assert chain_time(text) == datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)


def test_a_day_after_the_last_claim() -> None:
    """Active producers only, by name; a claim is due after 24 hours, not at them."""
    rows = [
        {"owner": "b", "is_active": True, "last_claim_time": "2026-01-02T00:00:00.000"},
        {"owner": "a", "is_active": True, "last_claim_time": "2026-01-02T12:00:00.000"},
        {"owner": "c", "is_active": False, "last_claim_time": "2026-01-02T00:00:00.000"},
    ]
    found = claims(rows)
    assert [one.producer for one in found] == ["a", "b"]
    midnight = datetime(2026, 1, 3, tzinfo=UTC)
    assert found[1].due == midnight
    assert not found[1].is_due(midnight)
    assert found[1].is_due(midnight.replace(microsecond=1))
