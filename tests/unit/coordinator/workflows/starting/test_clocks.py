"""Clocks at the seal: a chain with a genesis in the future does not start."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coordinator.agents.link import AgentLink
from coordinator.errors import OperationFailed
from coordinator.workflows.starting.clocks import check_begun, check_clocks
from tests.unit.agent.party.conftest import sealed_network


def link(offset: float) -> AgentLink:
    """An agent whose clock is this many seconds ahead."""
    found = AgentLink("h1", lambda: 1)
    found.clock_offset = offset
    return found


@pytest.mark.parametrize(
    ("offset", "said"), [(-3600.0, "h1 is 3600.0 s behind this machine's"), (30.0, "h1 is 30.0 s ahead of")]
)
async def test_clocks_that_disagree_are_told_before_the_seal(offset: float, said: str) -> None:
    """Either clock may be wrong; nothing is sealed, and the message says what to do."""
    with pytest.raises(OperationFailed, match=said) as caught:
        await check_clocks([link(0.0), link(offset)])
    assert "nothing is sealed yet" in str(caught.value)


async def test_a_slow_message_is_no_wrong_clock() -> None:
    """A second in transit makes a clock look slow."""
    await check_clocks([link(-1.5), link(0.2)])


def test_a_chain_that_begins_later_is_told(tmp_path: Path) -> None:
    """It was sealed while the clock was an hour ahead: the message says when it begins, instead of waiting silently."""
    sealed = sealed_network(tmp_path).sealed
    begins = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    check_begun(sealed, begins)
    check_begun(replace(sealed), begins - timedelta(seconds=0.5))
    with pytest.raises(OperationFailed, match=r"begins at 2026-01-02 03:04:05 UTC, in 3600 s"):
        check_begun(sealed, begins - timedelta(hours=1))
