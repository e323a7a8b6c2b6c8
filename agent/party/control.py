"""How a party's operator speaks to the agent that runs: a Unix socket (0600) in its data folder.

One JSON object asks; the answer is lines of JSON: {"say": TEXT}, … and at the end {"status": 0 or 1}.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from antelope.strict_json import read_json
from support import sockets

ASKING_SECONDS = 10.0
LIMIT = 1 << 20

Say = Callable[[str], None]
Answerer = Callable[[Mapping[str, Any], Say], Awaitable[None]]
"""Does what is asked, and says what happens. Raises ControlError with why it did not."""


class ControlError(Exception):
    """It was not done; one line says why."""


@asynccontextmanager
async def listening(folder: Path, answerers: Mapping[str, Answerer]) -> AsyncIterator[None]:
    """Answers the `agent` commands of the same user while the block runs. Raises OSError."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def out(line: Mapping[str, object]) -> None:
            writer.write(json.dumps(line).encode() + b"\n")

        try:
            async with asyncio.timeout(ASKING_SECONDS):
                request = read_json(await reader.readline())
            await answerers[request["ask"]](request, lambda text: out({"say": text}))
            out({"status": 0})
        except ControlError as error:
            out({"say": str(error), "status": 1})
        except (ValueError, KeyError, TypeError, TimeoutError):
            out({"say": "not a request that this agent knows", "status": 1})
        finally:
            if not writer.is_closing():
                await writer.drain()
                writer.close()

    async with sockets.listening(folder, serve, LIMIT):
        yield


async def ask(folder: Path, request: Mapping[str, object], say: Say) -> int:
    """The exit status of what the running agent was asked for. Raises ControlError when none runs there."""
    if not folder.is_dir():
        raise ControlError(f"{folder}: there is no such folder")
    try:
        reader, writer = await sockets.connect(folder, LIMIT)
    except OSError as error:
        raise ControlError(
            f"no agent of a party runs in {folder}: start it with agent serve --data {folder}"
        ) from error
    writer.write(json.dumps(request).encode() + b"\n")
    status = 1
    try:
        while line := await reader.readline():
            answer = read_json(line)
            if "say" in answer:
                say(str(answer["say"]))
            status = int(answer.get("status", status))
    finally:
        writer.close()
    return status
