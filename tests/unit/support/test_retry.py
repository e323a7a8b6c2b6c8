"""Polls and retries end when they should."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time

import pytest

from support.retry import DeadlineError, poll, retrying


async def test_a_poll_returns_what_was_found() -> None:
    """The first true result is returned, after as many looks as that takes."""
    looks = iter([None, 0, "found"])

    async def look() -> object:
        return next(looks)

    assert await poll(look, what="it", deadline=30, every=0.01) == "found"


async def test_a_poll_says_what_it_waited_for() -> None:
    """The error has the thing's latest state, and the seconds."""

    async def look() -> None:
        return None

    with pytest.raises(DeadlineError, match=r"waited 0.05 s for block 7"):
        await poll(look, what=lambda: "block 7", deadline=0.05, every=0.01)


async def test_a_look_that_hangs_is_bounded_too() -> None:
    """The deadline holds even if a single look never returns."""
    begun = time.monotonic()
    with pytest.raises(DeadlineError):
        await poll(asyncio.Event().wait, what="ever", deadline=0.1)
    assert time.monotonic() - begun < 2


async def _deaf() -> bool:
    """A look in which something swallows its cancellation."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    return False


async def test_a_look_that_swallows_its_cancellation_is_the_last() -> None:
    """A deadline, or Ctrl-C, cancels a task once. Even if something in the look swallows that, the poll ends."""
    with pytest.raises(DeadlineError):
        await asyncio.wait_for(poll(_deaf, what="the node", deadline=0.05), 5)
    task = asyncio.create_task(poll(_deaf, what="the node", deadline=math.inf))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 5)


async def test_a_call_that_fails_after_its_cancellation_is_not_tried_again() -> None:
    """It was ended, and must not go on with its next try."""

    async def failing() -> None:
        await _deaf()
        raise OSError

    task = asyncio.create_task(retrying(failing, on=OSError, deadline=math.inf))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(task), 5)


async def test_errors_of_a_look_pass_through() -> None:
    """A poll hides no error, not even the look's own timeout."""

    async def look() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await poll(look, what="it", deadline=30)


async def test_a_poll_looks_often_enough() -> None:
    """More than 250 ms between two looks are refused."""
    with pytest.raises(ValueError, match="at least every"):
        await poll(asyncio.Event().wait, what="it", deadline=30, every=1)


async def test_only_what_is_named_is_retried() -> None:
    """Other exceptions are raised at once, the named one after the last attempt."""
    calls: list[type[Exception]] = []

    async def fail(kind: type[Exception]) -> None:
        calls.append(kind)
        raise kind

    with pytest.raises(KeyError):
        await retrying(lambda: fail(KeyError), on=OSError, attempts=3, first=0.01)
    assert calls == [KeyError]
    warned: list[BaseException] = []
    with pytest.raises(OSError):  # noqa: PT011 (the very one that was raised)
        await retrying(lambda: fail(OSError), on=OSError, attempts=3, first=0.01, before_retry=warned.append)
    assert calls == [KeyError, OSError, OSError, OSError]
    assert len(warned) == 2


async def test_a_retry_succeeds_and_is_bounded_in_time() -> None:
    """A later try's result is returned; with a deadline, no new try begins after it."""
    outcomes = iter([OSError(), None])

    async def second() -> str:
        error = next(outcomes)
        if error:
            raise error
        return "done"

    assert await retrying(second, on=lambda error: isinstance(error, OSError), attempts=2, first=0.01) == "done"

    async def never() -> None:
        raise OSError

    begun = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011
        await retrying(never, on=OSError, deadline=0.2, first=0.01, most=0.05)
    assert 0.2 <= time.monotonic() - begun < 2


async def test_an_unbounded_retry_is_refused() -> None:
    """The caller must say when to give up."""
    with pytest.raises(ValueError, match="bounded"):
        await retrying(asyncio.Event().wait, on=OSError)
