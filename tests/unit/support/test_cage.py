"""The cage: whatever happens in it, the caller continues, and gets the fault in one line."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from support.cage import Budget, CageError, Job, caged
from support.retry import poll
from tests.unit.support import jobs

SMALL = Budget(memory=64 << 20, cpu=2, seconds=200, answer=1000)


def children() -> set[str]:
    """The processes that this one has begun and that have not ended."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request and answer pass; the job's output is not part of the answer; its environment is empty."""
    assert await caged(jobs.add, [1, 2, 3], SMALL) == 6
    monkeypatch.setenv("BOOTCOORD_SECRET", "x")
    assert "BOOTCOORD_SECRET" not in await caged(jobs.environment, None, SMALL)


@pytest.mark.parametrize(
    ("job", "request_", "why"),
    [
        (jobs.refuse, "so", "not so"),
        (jobs.fail, "key", "KeyError: 'key'"),
        (jobs.swallow, None, "more than 64 MiB of memory"),
        (jobs.spin, None, "more than 2 s of CPU"),
        (jobs.descend, None, "nested too deeply"),
        (jobs.talk, 2000, "larger than 1000 bytes"),
        (jobs.die, None, "status -11 and no answer"),
    ],
)
async def test_what_goes_wrong_is_one_line(job: Job, request_: object, why: str) -> None:
    """Refusals, faults, memory, CPU (with signals ignored), recursion, endless answers, crashes; no process is left."""
    before = children()
    with pytest.raises(CageError, match=why) as caught:
        await caged(job, request_, SMALL)
    assert "\n" not in str(caught.value)
    assert children() == before


async def test_it_writes_no_file(tmp_path: Path) -> None:
    """A file that it opens for writing stays empty."""
    with pytest.raises(CageError, match="OSError"):
        await caged(jobs.write, str(tmp_path / "file"), SMALL)
    assert (tmp_path / "file").stat().st_size == 0


async def test_the_event_loop_goes_on_and_time_ends_it() -> None:
    """While the job spins and ignores signals, the event loop runs; after its time the process is gone."""
    before, began, turns = children(), time.monotonic(), 0
    work = asyncio.create_task(caged(jobs.spin, None, Budget(64 << 20, 60, 2)))
    while not (await asyncio.wait([work], timeout=0.01))[0]:
        turns += 1
    with pytest.raises(CageError, match="longer than 2 s"):
        await work
    assert turns > 20
    assert time.monotonic() - began < 60
    assert children() <= before


async def test_cancelled_it_leaves_nothing(tmp_path: Path) -> None:
    """If the caller is ended (SIGTERM), so is the job."""
    mark, before = tmp_path / "begun", children()
    task = asyncio.create_task(caged(jobs.sleep, str(mark), SMALL))

    async def begun() -> bool:
        return mark.exists()

    await poll(begun, what="the work to begin", deadline=30, every=0.01)
    assert children() - before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before
