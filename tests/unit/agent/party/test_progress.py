"""When the party's operator is told how its node progresses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from agent.party import progress
from agent.party.stages import Observation
from tests.unit.agent.party.conftest import Home


async def test_a_chain_that_stands_still_is_told_once(
    alice: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Syncing is reported each time the head has moved; a head that stays is not reported."""
    heads: Iterator[int] = iter([5, 5, 5, 7, 7, 9, 9])

    async def look(*_: object) -> Observation:
        try:
            return Observation(next(heads), 0, fresh=False, peers=2)
        except StopIteration:
            raise asyncio.CancelledError from None

    monkeypatch.setattr(progress, "look", look)
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(progress, "SYNC_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    with pytest.raises(asyncio.CancelledError):
        await progress.watch_progress(alice.duties.own)
    said = [line for line in caplog.messages if line.startswith("syncing")]
    assert [line.split(",")[0] for line in said] == ["syncing: block 5", "syncing: block 7", "syncing: block 9"]
