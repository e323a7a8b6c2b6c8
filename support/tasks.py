"""Tasks that run beside others, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable
from contextlib import asynccontextmanager


async def end(*tasks: asyncio.Task[object]) -> None:
    """Cancels tasks, and returns once all of them ended, however they did.

    A cancellation of the caller passes through. (`await task` could not tell it from the task's own.)
    """
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def all_of(works: Iterable[Awaitable[object]]) -> None:
    """Runs them all at once, each to its end; then raises the first error."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


@asynccontextmanager
async def beside(work: Coroutine[object, object, object]) -> AsyncIterator[None]:
    """Has work run for as long as the block does. Once the block went well, raises what the work failed of."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)
    if not task.cancelled():
        task.result()
