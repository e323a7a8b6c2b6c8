"""Background work of an agent: it runs beside the coordinator's tasks, for as long as the agent runs."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from support.retry import retrying
from support.tasks import end

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = 1.0
"""Seconds until the first restart of failed work; later pauses are longer, up to 30 s."""


async def logged(work: Callable[[], Coroutine[Any, Any, T]], what: str) -> T:
    """Returns what the work returns. Logs a failure with its cause, and raises it."""
    try:
        return await work()
    except Exception:
        log.exception("%s: a fault of this agent", what)
        raise


def begin(work: Callable[[], Coroutine[Any, Any, T]], what: str) -> asyncio.Task[T]:
    """Starts the work in the background. Callers need not await its end, so a failure is logged with its cause."""
    return asyncio.create_task(logged(work, what), name=what)


async def keep_running(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Restarts the work after every failure, and logs the cause. A failure in the background must not end the agent."""

    def failed(error: BaseException) -> None:
        log.error("a fault of this agent", exc_info=error)

    await retrying(work, on=Exception, deadline=math.inf, first=FIRST_PAUSE, most=30.0, before_retry=failed)


async def together(*works: Coroutine[None, None, object]) -> None:
    """Runs them all until the first one ends, and raises its error."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        await end(*tasks)
