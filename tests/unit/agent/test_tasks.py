"""Tasks are carried out once, for one coordinator at a time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agent import tasks
from agent.memory import Memory
from agent.reports import ReportProgress
from agent.tasks import FIRST_EPOCH, Tasks
from protos import coordination_pb2 as pb
from support.journal import Journal


class Bench:
    """A task book whose work is held up until it is let go."""

    def __init__(self, journal: Journal) -> None:
        self.sent: list[pb.FromAgent] = []
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.go = asyncio.Event()
        self.tasks = Tasks(Memory(journal), self._carry_out)

    async def _carry_out(self, task: pb.Task, report: ReportProgress) -> pb.Result:
        self.begun.append(task.id)
        report(pb.Progress(done=1, total=2, pushed=[pb.Pushed(key="a", transaction="01")]))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(task.id)
            raise
        report(pb.Progress(done=2, total=2, pushed=[pb.Pushed(key="b", transaction="02")]))
        return pb.Result(ok=True)

    def welcome(self, epoch: int, instance: str) -> None:
        """A coordinator takes the agent in."""
        self.tasks.welcome(pb.Welcome(epoch=epoch, instance=instance), self.sent.append)

    async def task(self, name: str, epoch: int) -> None:
        """A task arrives."""
        self.tasks.accept(pb.Task(id=name, epoch=epoch, recount=pb.Recount(step="n")))
        await asyncio.sleep(0)

    def results(self) -> list[tuple[str, bool]]:
        """What was reported in the end."""
        return [(one.result.task, one.result.ok) for one in self.sent if one.HasField("result")]

    def pushed(self) -> list[str]:
        """Keys that were reported, in order."""
        return [pushed.key for one in self.sent for pushed in one.progress.pushed]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """With a fresh journal."""
    return Bench(Journal(tmp_path / "journal.sqlite"))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_same_task_is_carried_out_once(bench: Bench) -> None:
    """Sent again after the connection dropped, it is reported again in whole, while it runs and when it is done."""
    bench.welcome(1, "i")
    await bench.task("t", 1)
    bench.tasks.parted()
    bench.sent.clear()
    bench.welcome(1, "i")
    await bench.task("t", 1)
    assert bench.pushed() == ["a"]
    bench.tasks.parted()
    bench.go.set()
    await _settle()
    assert bench.results() == []
    bench.sent.clear()
    bench.welcome(1, "i")
    await bench.task("t", 1)
    assert bench.pushed() == ["a", "b"]
    assert bench.results() == [("t", True)]
    assert bench.begun == ["t"]


async def test_an_older_coordinator_gets_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Its tasks are void, also when it has the same epoch as another that was seen before; the log says so."""
    bench.welcome(5, "new")
    for epoch, instance in ((4, "old"), (5, "other")):
        bench.welcome(epoch, instance)
        await bench.task(f"t{epoch}", epoch)
    assert bench.results() == [("t4", False), ("t5", False)]
    assert bench.begun == []
    assert (bench.tasks.epoch, bench.tasks.instance) == (5, "new")
    assert "its epoch is 4, another had epoch 5" in caplog.text


async def test_no_coordinator_takes_all_epochs(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """One with an epoch out of reach, or a name too long to be told on, leaves no trace: others are followed."""
    for epoch, instance in ((2**63, "rogue"), (1, "r" * 100)):
        bench.welcome(epoch, instance)
        await bench.task("t", epoch)
    assert bench.tasks.epoch == 0
    bench.welcome(2**61, "rogue")
    for epoch in (2**62, 2**61 + 1):
        bench.welcome(epoch, "coord")
        await bench.task("u", epoch)
    assert (bench.begun, bench.tasks.epoch) == (["u"], 2**61 + 1)
    assert "its epoch or the id of its run is invalid" in caplog.text
    await bench.task("i" * 100, 2**61 + 1)
    assert bench.sent[-1].result.error == "refused: the id of the task is too long"


async def test_an_observer_changes_nothing(bench: Bench) -> None:
    """Epoch 0 gives no tasks, and what runs for the acting coordinator runs on."""
    bench.welcome(3, "acting")
    await bench.task("t", 3)
    bench.welcome(0, "observer")
    await bench.task("u", 0)
    assert bench.results() == [("u", False)]
    assert bench.cancelled == []
    assert bench.tasks.epoch == 3


async def test_a_new_coordinator_ends_the_old_ones_tasks(bench: Bench) -> None:
    """What it wants done it says itself, and sees for itself what is done."""
    bench.welcome(3, "old")
    await bench.task("t", 3)
    bench.welcome(4, "new")
    await _settle()
    assert bench.cancelled == ["t"]


async def test_the_epoch_outlives_the_agent(tmp_path: Path) -> None:
    """After a restart, the older coordinator's tasks are still void."""
    path = tmp_path / "journal.sqlite"
    Bench(Journal(path)).welcome(7, "i")
    again = Bench(Journal(path))
    again.welcome(6, "older")
    await again.task("t", 6)
    assert again.results() == [("t", False)]


async def test_a_result_too_large_is_an_error(tmp_path: Path) -> None:
    """It would end the connection again and again."""

    async def large(task: pb.Task, report: ReportProgress) -> pb.Result:
        return pb.Result(ok=True, collected=pb.Collected(features_json="x" * (9 << 20)))

    sent: list[pb.FromAgent] = []
    tasks = Tasks(Memory(Journal(tmp_path / "journal.sqlite")), large)
    tasks.welcome(pb.Welcome(epoch=1, instance="i"), sent.append)
    tasks.accept(pb.Task(id="t", epoch=1))
    await _settle()
    (message,) = sent
    assert "larger" in message.result.error


async def test_a_flood_of_tasks_is_turned_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at the same time and no more; the oldest that are done are forgotten, the running ones never."""
    monkeypatch.setattr(tasks, "AT_ONCE", 3)
    monkeypatch.setattr(tasks, "REMEMBERED", 2)
    bench.welcome(1, "one")
    for number in range(5):
        await bench.task(f"a{number}", 1)
    await _settle()
    assert bench.begun == ["a0", "a1", "a2"]
    assert bench.results() == [("a3", False), ("a4", False)]
    bench.go.set()
    await _settle()
    for number in range(20):
        await bench.task(f"b{number}", 1)
        await _settle()
    assert bench.begun[3:] == [f"b{number}" for number in range(20)]
    assert len(bench.tasks._known) <= 3


async def test_what_was_pushed_is_told_again_in_bounded_messages(tmp_path: Path) -> None:
    """A coordinator that asks again hears all of it, in messages that every limit lets through, and the result last."""
    count = 3 * tasks.PUSHED_AT_ONCE + 1
    pushed = [pb.Pushed(key=f"account{number}", transaction="ab" * 32, block=number) for number in range(count)]

    async def pushes(task: pb.Task, report: ReportProgress) -> pb.Result:
        report(pb.Progress(done=count, total=count, pushed=pushed))
        return pb.Result(ok=True)

    sent: list[pb.FromAgent] = []
    known = Tasks(Memory(Journal(tmp_path / "journal.sqlite")), pushes)
    known.welcome(pb.Welcome(epoch=1, instance="i"), sent.append)
    known.accept(pb.Task(id="t", epoch=1))
    await _settle()
    first = list(sent)
    sent.clear()
    known.accept(pb.Task(id="t", epoch=1))
    for messages in (first, sent):
        assert max(message.ByteSize() for message in messages) < 1 << 20
        assert [one.key for message in messages for one in message.progress.pushed] == [one.key for one in pushed]
        assert [message.WhichOneof("body") for message in messages] == ["progress"] * 4 + ["result"]


async def test_a_coordinator_that_was_moved_is_followed_and_the_former_one_is_not(bench: Bench) -> None:
    """Whatever their epochs; a time that lies in the future is nobody's."""
    moved = int(time.time())
    bench.tasks.welcome(pb.Welcome(epoch=FIRST_EPOCH, instance="old"), bench.sent.append)
    bench.tasks.welcome(pb.Welcome(epoch=FIRST_EPOCH + 1, instance="new", moved=moved), bench.sent.append)
    bench.tasks.welcome(pb.Welcome(epoch=FIRST_EPOCH + 9, instance="old"), bench.sent.append)
    await bench.task("t", FIRST_EPOCH + 9)
    assert "void: this network's coordinator was restored on another machine" in bench.sent[-1].result.error
    bench.tasks.welcome(pb.Welcome(epoch=FIRST_EPOCH + 10, instance="liar", moved=moved + 10**6), bench.sent.append)
    assert bench.tasks.moved == moved
    bench.tasks.welcome(pb.Welcome(epoch=FIRST_EPOCH + 2, instance="new2", moved=moved), bench.sent.append)
    await bench.task("u", FIRST_EPOCH + 2)
    assert bench.begun == ["u"]
