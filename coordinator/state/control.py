"""How a command in a second terminal talks to the running coordinator: a Unix socket (0600) in the state folder.

A request is one line with a JSON object such as {"ask": "status", "program": ["coord"], "inventory": "devnet.toml"},
which says how the asking command was called; the answer is one line as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from antelope.strict_json import read_json
from coordinator.advising import Call, answering_for, call
from coordinator.errors import OperationFailed
from support import sockets
from support.errors import exit_status, explanation
from support.tasks import looking

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
LIMIT = 16 * 2**20
"""Maximum size of a request or answer, in bytes: enough for the status of thousands of nodes."""


class NoAnswer(OperationFailed):
    """The coordinator is starting, ending, or too busy. Retryable."""

    retryable = True


Answerer = Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
_HUNG_UP = {"error": "the asking process has gone"}


@asynccontextmanager
async def control_socket(folder: Path, answerers: Mapping[str, Answerer]) -> AsyncIterator[None]:
    """Answers other processes of the same user while the block runs. A request is cancelled when its process ends."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await _answer(reader, answerers)
        writer.write(json.dumps(answer).encode() + b"\n")
        with suppress(ConnectionError):  # the client has disconnected
            await writer.drain()
        writer.close()

    async with sockets.listening(folder, serve, LIMIT):
        yield


async def _answer(reader: asyncio.StreamReader, answerers: Mapping[str, Answerer]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            request = read_json(await reader.readline())
        answerer = answerers[request["ask"]]
        asked = Call.of(request)
    except TimeoutError:
        return {"error": f"no request came within {ANSWER_SECONDS:g} s"}
    except (ValueError, KeyError, TypeError):
        return {"error": "not a request that this coordinator knows"}
    try:
        with answering_for(asked):
            return await looking(answerer(request), lambda: _HUNG_UP if reader.at_eof() else None)
    except Exception as error:  # whatever it is, the client is told, and the boot continues
        if exit_status(error) is None:
            log.exception("a fault of the coordinator, asked for %s by another command", request["ask"])
            return {"error": f"a fault of the running coord ({type(error).__name__}: {error}): see its output"}
        return {"error": explanation(error)}


async def ask_running(folder: Path, ask: str, seconds: float = ANSWER_SECONDS, **more: Any) -> dict[str, Any]:
    """The running coordinator's answer. Raises NoAnswer after this many seconds, or OperationFailed with its error."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await sockets.connect(folder, LIMIT)
            writer.write(json.dumps({"ask": ask} | asdict(call()) | more).encode() + b"\n")
            answer: dict[str, Any] = read_json(await reader.readline())
            writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise NoAnswer(f"the coord that is working on {folder.name} does not answer; try again in a moment") from error
    if "error" in answer:
        raise OperationFailed(answer["error"])
    return answer
