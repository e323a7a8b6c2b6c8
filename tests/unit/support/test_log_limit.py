"""A log that nobody can flood by making the program log."""

from __future__ import annotations

import logging

import pytest

from support.log_limit import BURST, SECONDS, LogLimit


def test_a_flood_is_cut_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """3,000 lines a second of one place for an hour are some hundreds; others are written as ever."""
    now = [0.0]
    log, limit = logging.getLogger("flood"), LogLimit(lambda: now[0])
    caplog.handler.addFilter(limit)
    try:
        with caplog.at_level(logging.INFO):
            for second in range(60):
                now[0] = float(second)
                for number in range(3000):
                    log.info("said: %d", number)
            log.info("something else")
            now[0] = 60 + 2 * SECONDS
            log.info("said: %s", "calm")
    finally:
        caplog.handler.removeFilter(limit)
    said = [message for message in caplog.messages if message.startswith("said")]
    assert BURST <= len(said) <= BURST + 60 / SECONDS + 2
    assert "something else" in caplog.messages
    assert any("lines like this were left out)" in message for message in said[BURST:])
