"""The control socket of a party's running agent: a Unix socket (0600) in its data folder.

One JSON object asks (Request). The answer is lines of JSON: {"say": TEXT}, … for the operator to read, and at the end
{"status": N, "hash": HEX, "key": EOS…} for the command itself (Answer).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cattrs

from agent.advising import typed_agent
from agent.errors import AgentError, ControlError, InternalError
from agent.foreign import translated
from antelope.strict_json import read_object
from support import sockets
from support.errors import explanation

log = logging.getLogger(__name__)

ASKING_SECONDS = 10.0
LIMIT = 1 << 20


@dataclass(frozen=True)
class Request:
    """What an operator asks for."""

    ask: str
    """The name of the action."""
    proposal: str = ""
    """PROPOSER/NAME."""
    hash: str = ""
    """sha256 (hex) of the proposal that the operator has looked at."""
    producers: tuple[str, ...] = ()
    key: str = ""
    """A public key (EOS…), whose private half a keosd has."""
    force: bool = False


@dataclass(frozen=True)
class Answer:
    """The result of a request."""

    status: int = 0
    """The exit status of the command that asked."""
    hash: str = ""
    """sha256 (hex) of the proposal that was described."""
    key: str = ""
    """rotate: the block-signing key (EOS…) that the producer has now."""


Say = Callable[[str], None]
Answerer = Callable[[Request, Say], Awaitable[Answer]]
"""Does what is asked and says what happens. Raises AgentError, or an error that agent.foreign knows."""

_UNKNOWN = "not a request that this agent knows"
_CONVERTER = cattrs.Converter(forbid_extra_keys=True)


@asynccontextmanager
async def listening(folder: Path, answerers: Mapping[str, Answerer]) -> AsyncIterator[None]:
    """Answers the `agent` commands of the same user while the block runs. Raises OSError."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(json.dumps({"say": text}).encode() + b"\n")

        try:
            answer = await _answer(reader, answerers, say)
        except AgentError as error:
            say(explanation(error))
            answer = Answer(error.exit_status)
        writer.write(json.dumps(asdict(answer)).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # the command that asked is gone
            await writer.drain()
        writer.close()

    async with sockets.listening(folder, serve, LIMIT):
        yield


async def _answer(reader: asyncio.StreamReader, answerers: Mapping[str, Answerer], say: Say) -> Answer:
    """Reads a request and answers it. Raises AgentError. A bug is logged with its traceback."""
    request = await _request(reader)
    if request.ask not in answerers:
        raise ControlError(_UNKNOWN)
    try:
        return await answerers[request.ask](request, say)
    except Exception as error:
        known = translated(error)
        if known is None:
            log.exception("%s: a fault of this agent", request.ask)
            known = InternalError(f"a fault of this agent ({type(error).__name__}: {error})", hint="see its log")
        raise known from error


async def _request(reader: asyncio.StreamReader) -> Request:
    try:
        async with asyncio.timeout(ASKING_SECONDS):
            line = await reader.readline()
    except TimeoutError as error:
        raise ControlError(f"no request came within {ASKING_SECONDS:g} s") from error
    except ValueError as error:  # a line beyond the limit
        raise ControlError(_UNKNOWN) from error
    try:
        return _CONVERTER.structure(read_object(line), Request)
    except (ValueError, cattrs.BaseValidationError) as error:
        raise ControlError(_UNKNOWN) from error


async def ask(folder: Path, request: Request, say: Say) -> Answer:
    """The running agent's answer. Raises ControlError if none runs there or it ends before it answers."""
    if not folder.is_dir():
        raise ControlError(f"{folder}: there is no such folder")
    try:
        reader, writer = await sockets.connect(folder, LIMIT)
    except OSError as error:
        raise ControlError(
            f"no agent of a party runs in {folder}", hint=f"start it: {typed_agent('serve', folder)}"
        ) from error
    writer.write(json.dumps(asdict(request)).encode() + b"\n")
    try:
        while line := await reader.readline():
            told = read_object(line)
            if "say" not in told:
                return _CONVERTER.structure(told, Answer)
            say(str(told["say"]))
    finally:
        writer.close()
    raise ControlError("the agent ended before it answered", hint="see its log")
