"""Runs work on untrusted input in a separate process with limits on memory, CPU, time and the size of the answer.

The work is a function at the top of a module; request and answer are JSON. The process (`support.caged`) has no
environment, no files to write, and a budget beyond which the kernel refuses or ends it. The caller is not blocked, and
gets one line if something goes wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Job = Callable[[Any], Any]
"""Takes a JSON value and returns one. Raises ValueError with a one-line message if it cannot."""


class CageError(Exception):
    """The work failed. One line says why."""


@dataclass(frozen=True)
class Budget:
    """The limits of one piece of work."""

    memory: int
    """Bytes, in addition to what Python and the modules need."""
    cpu: int
    """Seconds."""
    seconds: float
    """Wall-clock seconds. They exceed the CPU seconds because a busy machine gives a process less than one CPU."""
    answer: int = 1 << 20
    """Bytes."""


async def caged(job: Job, request: object, budget: Budget) -> Any:
    """The job's answer. Raises CageError if it fails or exceeds its budget."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "support.caged",
        f"{job.__module__}:{job.__qualname__}",
        str(budget.memory),
        str(budget.cpu),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        cwd="/",
        start_new_session=True,  # Ctrl-C in the agent's terminal is for the agent
    )
    try:
        async with asyncio.timeout(budget.seconds):
            asked = asyncio.create_task(_ask(process, json.dumps(request).encode()))
            said = await _read(process, budget.answer)
            await asked
            status = await process.wait()
    except TimeoutError:
        raise CageError(f"it takes longer than {budget.seconds:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return _answer(said, status, budget)


def _environment() -> dict[str, str]:
    """The environment variables that Python needs to start and to find the job's module."""
    needed = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **needed}


async def _ask(process: asyncio.subprocess.Process, request: bytes) -> None:
    assert process.stdin  # noqa: S101 (it was made with one)
    with contextlib.suppress(ConnectionError):  # it ended early: its status says why
        process.stdin.write(request)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read(process: asyncio.subprocess.Process, most: int) -> bytes:
    assert process.stdout  # noqa: S101 (it was made with one)
    said = bytearray()
    while part := await process.stdout.read(1 << 16):
        said += part
        if len(said) > most:
            raise CageError(f"the result is larger than {most} bytes")
    return bytes(said)


def _answer(said: bytes, status: int, budget: Budget) -> Any:
    if status == -signal.SIGXCPU or (status == -signal.SIGKILL and not said):
        raise CageError(f"it takes more than {budget.cpu} s of CPU")
    try:
        answer = json.loads(said)
        if "error" in answer:
            raise CageError(str(answer["error"]))
        return answer["value"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CageError(f"it ended with status {status} and no answer") from error
