"""How a second terminal speaks to the coordinator that runs: a Unix socket (0600) in the network's state folder.

One JSON object a line, one answer a line. Requests: {"ask": "status"}.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from coordinator.errors import OperationFailed
from support import sockets
from support.tasks import looking

ANSWER_SECONDS = 10.0
LIMIT = 16 * 2**20
"""Bytes of an answer: a status of thousands of nodes fits."""


class NoAnswer(OperationFailed):
    """The coordinator just began, or ends, or is too busy: worth another try."""


Answerer = Callable[[dict[str, Any]], Coroutine[Any, Any, dict[str, Any]]]
_HUNG_UP = {"error": "whoever asked has gone"}


@asynccontextmanager
async def control_socket(folder: Path, answerers: Mapping[str, Answerer]) -> AsyncIterator[None]:
    """Answers other processes of the same user while the block runs. What a process asked for ends when it does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                request = json.loads(await reader.readline())
            answer = await looking(answerers[request["ask"]](request), lambda: _HUNG_UP if reader.at_eof() else None)
        except (ValueError, KeyError, TypeError, TimeoutError):
            answer = {"error": "not a request that this coordinator knows"}
        except Exception as error:  # whatever it is, the asker hears of it, and the boot goes on
            answer = {"error": str(error) or type(error).__name__}
        writer.write(json.dumps(answer).encode() + b"\n")
        with suppress(ConnectionError):  # whoever asked has gone
            await writer.drain()
        writer.close()

    async with sockets.listening(folder, serve, LIMIT):
        yield


async def ask_running(folder: Path, ask: str, seconds: float = ANSWER_SECONDS, **more: Any) -> dict[str, Any]:
    """The running coordinator's answer, within so many seconds. Raises NoAnswer, or OperationFailed with its error."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await sockets.connect(folder, LIMIT)
            writer.write(json.dumps({"ask": ask} | more).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise NoAnswer(f"the coord that works on {folder.name} does not answer; try again in a moment") from error
    if "error" in answer:
        raise OperationFailed(answer["error"])
    return answer
