"""Runs tasks in the background, and ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from support.errors import explanation

log = logging.getLogger(__name__)

T = TypeVar("T")


async def end(*tasks: asyncio.Task[object]) -> None:
    """Cancels tasks, and returns once all of them have ended, with or without an error.

    A cancellation of the caller is raised. (`await task` could not tell it from the task's own.)
    """
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def all_of(works: Iterable[Awaitable[object]]) -> None:
    """Runs them all at the same time, each to its end. Then raises the first error."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def tolerated(work: Awaitable[object], what: str, *expected: type[Exception]) -> None:
    """Awaits work whose failure must not disturb the command that it runs beside.

    Failures are logged under the name `what`: expected ones as a line, others as a fault with their traceback.
    """
    try:
        await work
    except expected as error:
        log.info("%s: %s", what, error)
    except Exception:
        log.exception("%s: a fault of the coordinator", what)


async def looking(work: Coroutine[Any, Any, T], look: Callable[[], T | None], every: float = 0.5) -> T:
    """Runs the work and returns its result. Looks meanwhile: if a look returns something or raises, the work is
    cancelled and the look's result or error counts.

    every: seconds between two looks.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=every))[0]:
            if (found := look()) is not None:
                return found
        return await task
    finally:
        await end(task)


def _told(task: asyncio.Task[object]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("what ran beside has ended: %s", explanation(error), exc_info=error)


@asynccontextmanager
async def beside(work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Runs the work in the background during the block. After a block that succeeded, raises the work's failure.

    A failure is also logged at once, with its cause, because the block may take long.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_told)
    try:
        yield
    finally:
        await end(task)
    if not task.cancelled():
        task.result()
