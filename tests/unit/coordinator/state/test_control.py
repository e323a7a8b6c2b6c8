"""The socket by which other terminals speak to a coordinator that runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.state.control import control_socket
from support.sockets import connect


async def test_what_was_asked_for_ends_with_who_asked(tmp_path: Path) -> None:
    """Ctrl-C in the second terminal: nothing more is done for it."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def last(request: dict[str, Any]) -> dict[str, Any]:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    async with control_socket(tmp_path, {"last": last}):
        _reader, writer = await connect(tmp_path, 1000)
        writer.write(json.dumps({"ask": "last"}).encode() + b"\n")
        await asyncio.wait_for(began.wait(), 5)
        assert not ended.is_set()
        writer.close()
        await asyncio.wait_for(ended.wait(), 5)


def test_an_end_in_the_middle_of_an_answer_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ctrl-C of the coordinator while it works for another terminal is no fault."""
    began = asyncio.Event()

    async def last(request: dict[str, Any]) -> dict[str, Any]:
        began.set()
        await asyncio.Event().wait()
        return {}

    async def run() -> None:
        async with control_socket(tmp_path, {"last": last}):
            _reader, writer = await connect(tmp_path, 1000)
            writer.write(json.dumps({"ask": "last"}).encode() + b"\n")
            await began.wait()

    asyncio.run(run())
    assert caplog.messages == []


async def test_an_answer_that_nobody_waits_for_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asked was killed in the moment of the answer, which is more than the pipe holds."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def last(request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await gone.wait()
        return {"text": "x" * 10_000_000}

    async with control_socket(tmp_path, {"last": last}):
        _reader, writer = await connect(tmp_path, 1000)
        writer.write(json.dumps({"ask": "last"}).encode() + b"\n")
        await asyncio.wait_for(asked.wait(), 5)
        gone.set()
        await asyncio.sleep(0)
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert caplog.messages == []
