"""Tasks that run beside other work."""

from __future__ import annotations

import asyncio

import pytest

from support.tasks import beside, end, looking, tolerated


async def forever() -> None:
    """Until it is cancelled."""
    await asyncio.Event().wait()


async def slow_to_end(begun: asyncio.Event) -> None:
    """Needs a few turns of the loop once it is cancelled."""
    try:
        await forever()
    finally:
        begun.set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_tasks_end_whatever_of() -> None:
    """A cancelled, a failed and a finished one."""

    async def fail() -> None:
        raise OSError("broken")

    tasks = [asyncio.create_task(forever()), asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(0)
    await end(*tasks)
    assert all(task.done() for task in tasks)


async def test_a_cancellation_of_the_caller_is_not_taken_for_the_tasks() -> None:
    """A caller that is cancelled while its task ends is cancelled, and does nothing more."""
    ending = asyncio.Event()
    went_on = False

    async def caller() -> None:
        nonlocal went_on
        async with beside(slow_to_end(ending)):
            await asyncio.sleep(0)
        went_on = True

    task = asyncio.create_task(caller())
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not went_on


async def test_work_beside_ends_with_the_block() -> None:
    """Not earlier."""
    ending = asyncio.Event()
    async with beside(slow_to_end(ending)):
        await asyncio.sleep(0)
        assert not ending.is_set()
    assert ending.is_set()


async def test_a_failure_beside_is_raised_once_the_block_went_well() -> None:
    """The block's own error takes precedence."""

    async def fail() -> None:
        raise OSError("broken")

    async def block(*errors: Exception) -> None:
        async with beside(fail()):
            await asyncio.sleep(0)
            for error in errors:
                raise error

    with pytest.raises(OSError, match="broken"):
        await block()
    with pytest.raises(ValueError, match="the block's"):
        await block(ValueError("the block's"))


async def test_a_look_ends_work_that_leads_nowhere() -> None:
    """The look's result or error counts; work that finishes first is not disturbed."""
    ending = asyncio.Event()
    assert await looking(slow_to_end(ending), lambda: "given up", 0.01) == "given up"
    assert ending.is_set()

    def broken() -> None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await looking(forever(), broken, 0.01)
    looked = asyncio.Event()

    async def after_a_look() -> str:
        await looked.wait()
        return "done"

    assert await looking(after_a_look(), looked.set, 0.01) == "done"


async def test_what_is_tolerated_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An expected failure as a line, any other with its traceback; a cancellation is neither."""

    async def fails(error: BaseException) -> None:
        raise error

    with caplog.at_level("INFO"):
        await tolerated(fails(KeyError("away")), "page", KeyError)
        await tolerated(fails(ValueError("why")), "page", KeyError)
    assert [(one.levelname, one.getMessage(), bool(one.exc_info)) for one in caplog.records] == [
        ("INFO", "page: 'away'", False),
        ("ERROR", "page: a fault of the coordinator", True),
    ]
    with pytest.raises(asyncio.CancelledError):
        await tolerated(fails(asyncio.CancelledError()), "page", KeyError)
