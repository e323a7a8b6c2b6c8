"""The socket by which other terminals speak to a coordinator that runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.errors import OperationFailed
from coordinator.state import control
from coordinator.state.control import ask_running, control_socket
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
        await asyncio.wait_for(began.wait(), 30)
        assert not ended.is_set()
        writer.close()
        await asyncio.wait_for(ended.wait(), 30)


def test_an_end_in_the_middle_of_an_answer_is_quiet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ctrl-C of the coordinator while it works for another terminal is not a fault."""
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
        others = asyncio.all_tasks()
        _reader, writer = await connect(tmp_path, 1000)
        writer.write(json.dumps({"ask": "last"}).encode() + b"\n")
        await asyncio.wait_for(asked.wait(), 30)
        gone.set()
        await asyncio.sleep(0)
        writer.transport.abort()
        _, left = await asyncio.wait(asyncio.all_tasks() - others, timeout=30)
        assert not left
    assert caplog.messages == []


async def test_a_fault_of_an_answerer_is_told_with_its_cause(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A KeyError in what answers is a fault, not an unknown request; both sides learn of it."""

    async def broken(request: dict[str, Any]) -> dict[str, Any]:
        return {"said": request["not there"]}

    async def refuses(request: dict[str, Any]) -> dict[str, Any]:
        raise OperationFailed("no node is running")

    async with control_socket(tmp_path, {"broken": broken, "refuses": refuses}):
        with pytest.raises(OperationFailed, match=r"a fault of the running coord \(KeyError: 'not there'\)"):
            await ask_running(tmp_path, "broken")
        assert [record.exc_info is not None for record in caplog.records] == [True]
        with pytest.raises(OperationFailed, match=r"^no node is running$"):
            await ask_running(tmp_path, "refuses")
        with pytest.raises(OperationFailed, match="not a request that this coordinator knows"):
            await ask_running(tmp_path, "nonsense")
        assert len(caplog.records) == 1


async def test_a_caller_that_asks_nothing_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is not called an unknown request."""
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.05)
    async with control_socket(tmp_path, {}):
        reader, writer = await connect(tmp_path, 1000)
        async with asyncio.timeout(10):
            assert json.loads(await reader.readline()) == {"error": "no request came within 0.05 s"}
        writer.close()
