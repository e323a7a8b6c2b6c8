"""Work on what strangers wrote, in a process of its own that can be ended: bounded in memory, CPU, time and answer.

The work is a function at the top of a module; request and answer are JSON. The process (`support.caged`) has no
environment, no files to write, and a budget beyond which the kernel refuses or ends it. Whatever it does, who asked
goes on meanwhile, and hears in one line what went wrong.
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
"""From a JSON value to a JSON value. Raises ValueError for what cannot be done, in a line."""


class CageError(Exception):
    """The work did not end well. One line: why."""


@dataclass(frozen=True)
class Budget:
    """What one piece of work may use."""

    memory: int
    """Bytes, beside what Python and the modules take."""
    cpu: int
    """Seconds."""
    seconds: float
    """On the clock: a busy machine gives a process less than one CPU."""
    answer: int = 1 << 20
    """Bytes."""


async def caged(job: Job, request: object, budget: Budget) -> Any:
    """What the job answers. Raises CageError when it fails, or is beyond its budget."""
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
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd="/",
        start_new_session=True,  # Ctrl-C in the agent's terminal is the agent's to deal with
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
