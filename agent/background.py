"""What an agent does beside its tasks, for as long as it lives."""

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
"""Seconds until what failed is done again; the next pauses are longer, up to 30 s."""


async def logged(work: Callable[[], Coroutine[Any, Any, T]], what: str) -> T:
    """What the work returns. A failure is logged with its cause, and passes."""
    try:
        return await work()
    except Exception:
        log.exception("%s: a fault of this agent", what)
        raise


def begin(work: Callable[[], Coroutine[Any, Any, T]], what: str) -> asyncio.Task[T]:
    """Runs it beside everything else: nobody may ever ask how it ended, so a failure is logged with its cause."""
    return asyncio.create_task(logged(work, what), name=what)


async def kept_up(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Does it again after any failure, which is logged with its cause: it must not end the agent."""

    def failed(error: BaseException) -> None:
        log.error("a fault of this agent", exc_info=error)

    await retrying(work, on=Exception, deadline=math.inf, first=FIRST_PAUSE, most=30.0, before_retry=failed)


async def together(*works: Coroutine[None, None, object]) -> None:
    """Runs them all until the first of them ends, and raises what that raises."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        await end(*tasks)
