"""The only module that retries: bounded polling, and retries of temporary errors. It is built on tenacity."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import tenacity

from support.errors import SupportError

T = TypeVar("T")

LONGEST_POLL = 0.25
"""Longest interval between two looks of a poll, in seconds."""

On = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], bool]
"""What is retried: exception types, or a test of the exception."""


class DeadlineError(SupportError, TimeoutError):
    """What was waited for did not come true in time."""

    retryable = True

    def __init__(self, what: str, seconds: float) -> None:
        """The message names what was waited for, and for how many seconds."""
        super().__init__(f"waited {seconds:g} s for {what}")
        self.what = what


async def poll(
    until: Callable[[], Awaitable[T | None]],
    *,
    what: str | Callable[[], str],
    deadline: float,
    every: float = LONGEST_POLL,
) -> T:
    """Calls `until` repeatedly until its result is true, and returns that.

    what: what is waited for (a callable if that is only known at the end). deadline and every: seconds.
    Raises DeadlineError, also when one look hangs; exceptions of the look itself pass through.
    """
    if not 0 < every <= LONGEST_POLL:
        raise ValueError(f"a poll looks at least every {LONGEST_POLL} s")
    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_result(lambda result: not result),
        wait=tenacity.wait_fixed(every),
        stop=tenacity.stop_never,
    )
    limit = asyncio.timeout(None if math.isinf(deadline) else deadline)
    try:
        async with limit:
            return cast(T, await attempts(_call, until))
    except TimeoutError:
        if not limit.expired():
            raise
    raise DeadlineError(what() if callable(what) else what, deadline)


async def retrying(
    call: Callable[[], Awaitable[T]],
    *,
    on: On,
    attempts: int | None = None,
    deadline: float | None = None,
    first: float = 0.05,
    most: float = 2.0,
    before_retry: Callable[[BaseException], None] | None = None,
) -> T:
    """Retries the call after failures that `on` names, with growing pauses. Finally raises the last failure.

    attempts or deadline (seconds until no new try is begun; math.inf: for ever) must bound it. first and most are the
    shortest and the longest pause in seconds; each is randomised over its upper half, so that many clients do not retry
    at once.
    """
    if attempts is None and deadline is None:
        raise ValueError("a retry is bounded by attempts or by a deadline")
    stops: list[tenacity.stop.stop_base] = []
    if attempts is not None:
        stops.append(tenacity.stop_after_attempt(attempts))
    if deadline is not None and not math.isinf(deadline):
        stops.append(tenacity.stop_after_delay(deadline))

    def warn(state: tenacity.RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if before_retry and failure:
            before_retry(failure)

    tries = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(on) if isinstance(on, type | tuple) else tenacity.retry_if_exception(on),
        wait=tenacity.wait_exponential(multiplier=first / 2, max=most / 2)
        + tenacity.wait_random_exponential(multiplier=first / 2, max=most / 2),
        stop=tenacity.stop_any(*stops) if stops else tenacity.stop_never,
        before_sleep=warn,
        reraise=True,
    )
    return cast(T, await tries(_call, call))


async def _call(look: Callable[[], Awaitable[T]]) -> T:
    """Awaits the look. Raises CancelledError also if something in the look swallowed it: a task is cancelled once, and
    would go on for ever. (tenacity awaits coroutine functions only, not whatever else returns an awaitable.)
    """
    before = _cancellations()
    try:
        return await look()
    finally:
        if _cancellations() > before:
            raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
