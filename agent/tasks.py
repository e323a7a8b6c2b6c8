"""Tasks from the acting coordinator. Each is carried out once, no matter how often it arrives."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from agent.background import begin
from agent.memory import Memory
from agent.reports import ReportProgress
from agent.session import MESSAGE_LIMIT, Send
from protos import coordination_pb2 as pb
from protos.moves import credible

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Tasks that are carried out at the same time; more are refused."""
REMEMBERED = 4096
"""Finished tasks that are remembered, in case the coordinator asks again."""

FIRST_EPOCH, EPOCH_STEP = 1 << 61, 1 << 20
"""Limits for the first epoch, and for the increase from one epoch to the next. Without them a malicious coordinator
could claim the highest epoch and lock out every later one.
"""
PUSHED_AT_ONCE = 5_000
"""Pushed transactions in one message: some 450 kB, below what a coordinator takes from a party at once (1 MiB)."""
MOVED = "this network's coordinator was restored on another machine, which leads now"
ID_LIMIT = 64
"""Characters of the id of a task, or of a coordinator's run."""

CarryOut = Callable[[pb.Task, ReportProgress], Awaitable[pb.Result]]
"""Carries out a task. Failures are in the result; only CancelledError is raised."""


@dataclass
class _Known:
    """A task and its outcome so far."""

    running: asyncio.Task[None] | None = None
    pushed: list[pb.Pushed] = field(default_factory=list)
    """Kept to be reported again, since the connection may have lost the first report."""
    done: int = 0
    total: int = 0
    result: pb.Result | None = None


class Tasks:
    """The tasks of the acting coordinator's current run. A new run starts with none."""

    def __init__(self, memory: Memory, carry_out: CarryOut) -> None:
        """The highest epoch that was seen is kept in memory."""
        self._memory = memory
        self._carry_out = carry_out
        self._send: Send | None = None
        self._acts = False
        self._behind = False
        """Whether this coordinator still runs although its state was moved to another machine."""
        self._known: dict[str, _Known] = {}
        self._under_way = 0

    @property
    def epoch(self) -> int:
        """The highest epoch that was seen; 0: none yet."""
        return int(self._memory.get("epoch") or 0)

    @property
    def moved(self) -> int:
        """When the acting coordinator's state was moved to its machine, in Unix seconds; 0 if it never moved."""
        return int(self._memory.get("moved") or 0)

    @property
    def instance(self) -> str:
        """The id of the coordinator's run that has this epoch."""
        return self._memory.get("instance")

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """A coordinator accepted the agent, or its epoch rose. It acts unless another one had the same epoch or a
        higher one.
        """
        self._send = send
        self._behind = welcome.moved < self.moved
        if self._behind or not credible(welcome.moved, time.time()):
            self._acts = False
            log.warning("tasks of this coordinator are refused: %s", MOVED)
            return
        highest = self.epoch + EPOCH_STEP if self.epoch else FIRST_EPOCH
        if welcome.epoch > highest or len(welcome.instance) > ID_LIMIT:
            self._acts = False
            log.warning("tasks of this coordinator are refused: its epoch or the id of its run is invalid")
            return
        same = welcome.instance == self.instance
        self._acts = welcome.epoch > self.epoch or (welcome.epoch == self.epoch > 0 and same)
        if not self._acts:
            if welcome.epoch:
                log.warning("tasks of this coordinator are refused: its epoch is %d, another had epoch %d",
                            welcome.epoch, self.epoch)  # fmt: skip
            return
        if not same:
            self._forget()
        self._memory.keep(epoch=str(welcome.epoch), instance=welcome.instance, moved=str(welcome.moved))

    def parted(self) -> None:
        """The connection is over. Tasks keep running, and report when the coordinator asks again."""
        self._send = None

    def accept(self, task: pb.Task) -> None:
        """Starts a task, or reports again on a known one."""
        known = self._known.get(task.id)
        if known:
            self._tell(task.id, known, known.pushed)
            if known.result:
                self._out(pb.FromAgent(result=known.result))
        elif not self._acts or task.epoch != self.epoch:
            error = f"void: the task is of epoch {task.epoch}, and another coordinator had epoch {self.epoch}"
            if self._behind:
                error = f"void: {MOVED}"
            self._out(pb.FromAgent(result=pb.Result(task=task.id, error=error)))
        elif len(task.id) > ID_LIMIT:
            self._out(
                pb.FromAgent(result=pb.Result(task=task.id[:ID_LIMIT], error="refused: the id of the task is too long"))
            )
        elif self._under_way >= AT_ONCE:
            error = f"refused: this agent carries out at most {AT_ONCE} tasks at the same time"
            self._out(pb.FromAgent(result=pb.Result(task=task.id, error=error, retryable=True)))
        else:
            self._make_room()
            self._under_way += 1
            known = self._known[task.id] = _Known()
            known.running = begin(partial(self._run, task, known), f"task {task.id}")

    async def close(self) -> None:
        """Cancels running tasks. Their pushes are in the journal."""
        running = [known.running for known in self._known.values() if known.running]
        self._forget()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, task: pb.Task, known: _Known) -> None:
        kind = task.WhichOneof("body") or "nothing"

        def report(progress: pb.Progress) -> None:
            known.pushed.extend(progress.pushed)
            known.done, known.total = progress.done, progress.total
            self._tell(task.id, known, progress.pushed)

        log.info("task %s: %s", task.id[:8], kind)
        result = await self._carry_out(task, report)
        if result.ByteSize() > MESSAGE_LIMIT - 1024:
            result = pb.Result(error=f"{kind}: the result is larger than a message may be: ask for less at once")
        result.task = task.id
        known.result = result
        if self._known.get(task.id) is known:
            self._under_way -= 1
        log.log(logging.INFO if result.ok else logging.WARNING, "task %s: %s", task.id[:8], result.error or "done")
        self._out(pb.FromAgent(result=result))

    def _tell(self, task_id: str, known: _Known, pushed: Sequence[pb.Pushed]) -> None:
        """Reports what was pushed, in messages of bounded size."""
        for start in range(0, len(pushed) or 1, PUSHED_AT_ONCE):
            part = pushed[start : start + PUSHED_AT_ONCE]
            self._out(pb.FromAgent(progress=pb.Progress(task=task_id, done=known.done, total=known.total, pushed=part)))

    def _make_room(self) -> None:
        """Forgets the oldest finished task if there are too many. If the coordinator asks for it again, it finds its
        work done.
        """
        if len(self._known) - self._under_way >= REMEMBERED:
            del self._known[next(key for key, known in self._known.items() if known.result)]

    def _forget(self) -> None:
        for known in self._known.values():
            if known.running:
                known.running.cancel()
        self._known, self._under_way = {}, 0

    def _out(self, message: pb.FromAgent) -> None:
        if self._send:
            self._send(message)
