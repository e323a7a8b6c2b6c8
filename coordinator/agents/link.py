"""One agent as the coordinator sees it, across all of the agent's connections."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import grpc

from antelope.errors import BadJson, Unreachable, node_error
from antelope.strict_json import ANSWER_DEPTH, read_json
from coordinator.agents.connection import Connection
from coordinator.agents.takeovers import Takeovers
from coordinator.agents.task_bodies import FIELDS, TaskBody
from coordinator.errors import OperationFailed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError
from support.texts import plain

QUERIES_AT_ONCE = 32
ANSWER_LIMIT = 64 << 20
"""Maximum size of an answer, in bytes: nodeos' largest blocks take about 10 MiB."""
QUERY_SECONDS = 15.0
ERROR_LIMIT = 4000
"""Characters of an agent's error message or note that are kept; the rest is cut off."""
STATE_LIMIT = 20
SNAPSHOTS = 100
"""At most this many snapshots of one agent are remembered."""
NOTE_LIMIT, DOUBLES, KEY_FILES = 500, 5, 2
"""The length of a note on who signs or which keys are lost, in characters; how many are kept of a node, and of a host.
"""
_TRANSACTION = re.compile(r"[0-9a-f]{64}")


class LinkError(OperationFailed):
    """The agent cannot be given a task."""


class RevokedError(LinkError):
    """The agent was revoked."""


class AwayError(LinkError):
    """The agent is away, and was waited for in vain."""


class ObserverError(LinkError):
    """This coordinator only observes, and gives no tasks."""


class AgentAway(Unreachable):
    """A node cannot be asked: the agent that would ask it is not connected, or does not answer."""


@dataclass
class _Pending:
    """A task whose result has not arrived."""

    task: pb.Task
    result: asyncio.Future[pb.Result]
    on_progress: Callable[[pb.Progress], None] | None
    awaited: set[str] = field(default_factory=set)
    """Keys whose Pushed was not passed on yet. An agent that reconnects reports all of them again."""


class AgentLink:
    """One agent. Tasks survive reconnects; queries do not."""

    def __init__(self, name: str, epoch: Callable[[], int]) -> None:
        """epoch: the coordinator's, 0 for an observer."""
        self.name = name
        self.hello: pb.Hello | None = None
        """The Hello of its latest connection."""
        self.manifest = ""
        """The manifest of the sealed network that it holds: as that Hello says, or taken since; empty: none."""
        self.status: pb.Status | None = None
        """Its latest status, possibly from before the connection was lost."""
        self.clock_offset: float | None = None
        """Seconds that its clock was ahead of this machine's when that status arrived, minus the time in transit."""
        self.revoked = False
        self._hubs_epoch = epoch
        self._floor = 0
        self._unexpected = False
        self._connection: Connection | None = None
        self._joined = asyncio.Event()
        self._takeovers = Takeovers()
        self._tasks: dict[str, _Pending] = {}
        self._queries: dict[str, asyncio.Future[pb.Answer]] = {}
        self._slots = asyncio.Semaphore(QUERIES_AT_ONCE)

    @property
    def epoch(self) -> int:
        """The coordinator's epoch, or a higher one for this agent alone; 0 for an observer."""
        epoch = self._hubs_epoch()
        return max(epoch, self._floor) if epoch else 0

    def rise(self, epoch: int) -> None:
        """Raises the epoch for this agent alone: it has seen that epoch from another coordinator, and rejects lower
        ones.
        """
        self._floor = epoch

    def do_without(self) -> None:
        """It was waited for in vain: until it connects, tasks for it fail at once instead of waiting for it."""
        self._unexpected = not self.connected

    @property
    def connected(self) -> bool:
        """Whether its stream is open."""
        return self._connection is not None

    @property
    def contested(self) -> bool:
        """Whether two machines seem to dial in under this name, as a machine and its copy do."""
        return self._takeovers.contested(time.monotonic())

    async def wait_connected(self, deadline: float) -> None:
        """Waits until the agent is connected. Raises DeadlineError after this many seconds, RevokedError."""
        if not self.revoked:
            try:
                async with asyncio.timeout(None if math.isinf(deadline) else deadline):
                    await self._joined.wait()
            except TimeoutError:
                raise DeadlineError(f"the agent of {self.name} to connect", deadline) from None
        self._check_admitted()

    async def task(
        self,
        body: TaskBody,
        on_progress: Callable[[pb.Progress], None] | None = None,
        deadline: float | None = None,
        keys: Iterable[str] = (),
    ) -> pb.Result:
        """Has the agent carry out a task exactly once, however often the connection drops meanwhile.

        on_progress gets the pushed transaction of each of these keys once, and nothing else. deadline: seconds.
        Raises DeadlineError (the agent continues), AwayError, RevokedError, ObserverError; an agent's failure is in the
        result.
        """
        if self.epoch == 0:
            raise ObserverError(f"an observer gives no tasks ({self.name})")
        self._check_admitted()
        if self._unexpected:
            raise AwayError(f"the agent of {self.name} is away")
        task = pb.Task(id=uuid.uuid4().hex, epoch=self.epoch)
        getattr(task, FIELDS[type(body)]).CopyFrom(body)
        pending = _Pending(task, asyncio.get_running_loop().create_future(), on_progress, set(keys))
        self._tasks[task.id] = pending
        self._send(pb.FromCoordinator(task=task))
        try:
            async with asyncio.timeout(deadline):
                return await pending.result
        except TimeoutError:
            raise DeadlineError(f"{FIELDS[type(body)]} on {self.name}", deadline or 0.0) from None
        finally:
            del self._tasks[task.id]

    async def query(self, node: str, path: str, body: Any = None, deadline: float = QUERY_SECONDS) -> Any:
        """nodeos' answer to a read-only call, as JSON. Raises NodeError, as NodeClient does."""
        status, found = await self._whole(node, path, body, deadline)
        try:
            content = read_json(found, depth=ANSWER_DEPTH) if found else None
        except BadJson as error:
            raise Unreachable(f"{node} on {self.name}: {path}: the answer is not JSON") from error
        if 200 <= status < 300:
            return content
        raise node_error(status, content)

    async def read(self, node: str, path: str, body: Any, deadline: float = QUERY_SECONDS) -> bytes:
        """The agent's own answer, as raw bytes. Raises NodeError."""
        return (await self._whole(node, path, body, deadline))[1]

    async def _whole(self, node: str, path: str, body: Any, deadline: float) -> tuple[int, bytes]:
        """HTTP status and body of an answer, which may span several messages."""
        found = bytearray()
        async with self._slots:
            while True:
                query = pb.Query(
                    id=uuid.uuid4().hex, node=node, path=path, body=_encoded(body), offset=len(found)
                )  # fmt: skip
                answer = await self._ask(query, deadline)
                if answer.status == 0:
                    raise Unreachable(f"{node} on {self.name}: {answer.error}")
                found += answer.body
                if len(found) >= answer.total or not answer.body:
                    return answer.status, bytes(found)
                if answer.total > ANSWER_LIMIT:
                    raise Unreachable(f"{node} on {self.name}: {path}: an answer of {answer.total} bytes is too large")

    async def _ask(self, query: pb.Query, deadline: float) -> pb.Answer:
        if self._connection is None:
            raise AgentAway(f"{query.node}: the agent of {self.name} is not connected")
        future: asyncio.Future[pb.Answer] = asyncio.get_running_loop().create_future()
        self._queries[query.id] = future
        self._send(pb.FromCoordinator(query=query))
        try:
            async with asyncio.timeout(deadline):
                return await future
        except TimeoutError:
            raise AgentAway(f"{query.node} on {self.name}: {query.path}: no answer in {deadline:g} s") from None
        finally:
            del self._queries[query.id]

    def attach(self, connection: Connection, hello: pb.Hello, welcome: pb.FromCoordinator) -> None:
        """Switches to a new stream: ends the previous one, and sends every task without a result again."""
        if self._connection:
            self._takeovers.note(time.monotonic())
            self._connection.close(
                grpc.StatusCode.FAILED_PRECONDITION, f"another session of {self.name} replaced this one"
            )
            self._fail_queries()
        self.hello, self.manifest = hello, hello.manifest
        self._connection, self._unexpected = connection, False
        connection.send(welcome)
        for pending in self._tasks.values():
            pending.task.epoch = self.epoch
            connection.send(pb.FromCoordinator(task=pending.task))
        self._joined.set()

    def detach(self, connection: Connection) -> bool:
        """The stream ended. Returns whether it was the current one, so that the agent is disconnected."""
        if self._connection is not connection:
            return False
        self._connection = None
        self._joined.clear()
        self._fail_queries()
        return True

    def revoke(self, reason: str) -> None:
        """Revokes the agent: ends its stream, and pending tasks raise RevokedError."""
        self.revoked = True
        self._joined.set()
        if self._connection:
            self._connection.close(grpc.StatusCode.PERMISSION_DENIED, reason)
        for pending in self._tasks.values():
            if not pending.result.done():
                pending.result.set_exception(RevokedError(reason))

    def receive(self, message: pb.FromAgent) -> str:
        """Handles a message after the Hello. Human-readable text in it is reduced to one plain line.

        Returns what is wrong with the message; empty if nothing is.
        """
        kind = message.WhichOneof("body")
        if kind == "status":
            _shorten(message.status)
            self.status = message.status
            self.clock_offset = message.status.clock - time.time()
        elif kind == "answer":
            message.answer.error = plain(message.answer.error, ERROR_LIMIT)
            self._answered(message.answer)
        elif kind == "progress":
            self._progressed(message.progress)
        elif kind == "result":
            message.result.error = plain(message.result.error, ERROR_LIMIT)
            message.result.note = plain(message.result.note, ERROR_LIMIT)
            pending = self._tasks.get(message.result.task)
            if pending and not pending.result.done():
                if message.result.ok and pending.task.HasField("hold"):
                    self.manifest = pending.task.hold.sha256
                pending.result.set_result(message.result)
        else:
            return f"unexpected message: {kind or 'empty'}"
        return ""

    def _answered(self, answer: pb.Answer) -> None:
        future = self._queries.get(answer.id)
        if future and not future.done():
            future.set_result(answer)

    def _progressed(self, progress: pb.Progress) -> None:
        pending = self._tasks.get(progress.task)
        if pending is None or pending.on_progress is None:
            return
        fresh = []
        for pushed in progress.pushed:
            if pushed.key in pending.awaited and (_TRANSACTION.fullmatch(pushed.transaction) or not pushed.transaction):
                pending.awaited.discard(pushed.key)
                fresh.append(pushed)
        del progress.pushed[:]
        progress.pushed.extend(fresh)
        pending.on_progress(progress)

    def _send(self, message: pb.FromCoordinator) -> None:
        if self._connection:
            self._connection.send(message)

    def _check_admitted(self) -> None:
        if self.revoked:
            raise RevokedError(f"{self.name} was revoked")

    def _fail_queries(self) -> None:
        for future in self._queries.values():
            if not future.done():
                future.set_exception(AgentAway(f"the agent of {self.name} disconnected"))


def _shorten(status: pb.Status) -> None:
    """Reduces what an agent reported to a bounded number of plain lines."""
    del status.snapshots[SNAPSHOTS:]
    status.lost_keys[:] = [plain(line, NOTE_LIMIT) for line in status.lost_keys[:KEY_FILES]]
    for node in status.nodes:
        node.detail = plain(node.detail, ERROR_LIMIT)
        node.state = plain(node.state, STATE_LIMIT)
        node.withheld = plain(node.withheld, NOTE_LIMIT)
        node.doubles[:] = [plain(double, NOTE_LIMIT) for double in node.doubles[-DOUBLES:]]


def _encoded(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()
