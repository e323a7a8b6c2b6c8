"""Log lines as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from support.json_log import JsonLines, about


def line(message: str, **more: Any) -> dict[str, Any]:
    """A line of network net and host h1."""
    record = logging.LogRecord("x", logging.WARNING, "f.py", 1, message, (), None, **more)
    record.created = 1795860000.5
    text = JsonLines({"network": "net", "host": "h1"}).format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_is_an_object() -> None:
    """On one line, whatever the message quotes."""
    assert line('two\nlines "quoted"') == {
        "time": "2026-11-28T10:00:00.500Z", "level": "warning", "network": "net", "host": "h1",
        "message": line('two\nlines "quoted"')["message"],
    }  # fmt: skip
    assert "\n" not in line("two\nlines")["message"]


def test_a_fault_has_its_traceback() -> None:
    """In the same object."""
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "a fault", (), sys.exc_info())
    assert "ValueError: why" in json.loads(JsonLines({}).format(record))["traceback"]


async def test_what_it_is_about_is_told_by_the_task_alone() -> None:
    """Of two that run side by side, each line has its own step."""

    async def work(step: str) -> str:
        with about(step=step):
            await asyncio.sleep(0)
            return str(line("x")["step"])

    assert tuple(await asyncio.gather(work("accounts"), work("votes"))) == ("accounts", "votes")
    assert "step" not in line("x")
