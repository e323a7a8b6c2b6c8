"""One connection to the coordinator: the agent dials, says who it is, takes tasks and queries, and reports."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from typing import Any, Protocol

import grpc

from agent.background import begin
from agent.errors import Refused, Replaced, SessionEnded
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from protos.language import spoken
from protos.refusals import RefusalKind, kind_of
from support.identity import COORDINATOR_NAME
from support.tasks import end

MESSAGE_LIMIT = 8 << 20
"""Maximum bytes of one message."""
WELCOME_SECONDS = 10.0
"""Seconds from dialling to the coordinator's Welcome."""
LOOK_SECONDS = 0.5
"""Seconds between two polls of the nodes, to report changes."""
SHORTEST_SECONDS = 0.1
"""The same where a task has ended meanwhile, which may have started or stopped a node."""
STATUS_SECONDS = 2.0
"""A status goes out at least this often."""
RENEW_SECONDS = 15.0
"""Seconds to wait for a new certificate."""
ARTIFACT_LIMIT = 256 << 20
"""Maximum bytes of an artifact."""
CHUNK_SECONDS = 30.0
"""Seconds to wait for the next part of an artifact."""
AT_ONCE = 64
"""Limit for running queries and for messages that the coordinator has not read yet. Beyond it, the agent reads nothing
more from it.
"""

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),  # what http_proxy and the like name is for the internet
    ("grpc.use_local_subchannel_pool", 1),  # each dial is a fresh one: core's own back-off grows to two minutes
    ("grpc.ssl_target_name_override", COORDINATOR_NAME),
]


@dataclass(frozen=True)
class Credentials:
    """The agent's key and certificate, and the CA that it trusts; PEM."""

    key: bytes
    certificate: bytes
    ca: bytes


Send = Callable[[pb.FromAgent], None]
TakePart = Callable[[bytes], Awaitable[None]]
"""Takes the next bytes of a file."""
Call = grpc.aio.StreamStreamCall[pb.FromAgent, pb.FromCoordinator]


class Work(Protocol):
    """Receives the session's messages."""

    def hello(self) -> pb.Hello:
        """Who this agent is and what it holds. The session adds the version."""

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """A coordinator accepted the agent, or its epoch rose. Reports go to `send` from now on."""

    def parted(self) -> None:
        """The connection is over."""

    def accept(self, task: pb.Task) -> None:
        """A task arrived. It reports through `send`."""

    def admitted(self, admission: pb.Admission) -> None:
        """The coordinator answered a party's registration."""

    async def answer(self, query: pb.Query) -> pb.Answer:
        """Carries out a query."""

    async def status(self) -> pb.Status:
        """The state of the nodes. The session adds the clock."""


class Session:
    """Dials once and serves until the connection ends."""

    def __init__(self, coordinator: str, credentials: Credentials, work: Work) -> None:
        """coordinator: HOST:PORT."""
        self._coordinator = coordinator
        self._credentials = credentials
        self._work = work
        self._outbox: asyncio.Queue[pb.FromAgent] = asyncio.Queue()
        self._ended = asyncio.Event()
        """A task has ended since the last look at the nodes."""
        self._heard = asyncio.Event()
        """The coordinator read a message."""
        self._deaf = False
        """The connection is ending: nothing more is read from the outbox."""
        self._stub: rpc.CoordinationAsyncStub | None = None

    async def run(self, joined: Callable[[pb.Welcome], None]) -> None:
        """Raises SessionEnded, or Refused; never returns."""
        credentials = grpc.ssl_channel_credentials(
            self._credentials.ca, self._credentials.key, self._credentials.certificate
        )
        async with grpc.aio.secure_channel(self._coordinator, credentials, options=OPTIONS) as channel:
            self._stub = rpc.CoordinationStub(channel)
            try:
                await self._serve(self._stub, joined)
            except grpc.aio.AioRpcError as error:
                raise session_end(error, self._coordinator) from error
            finally:
                self._stub = None
                self._work.parted()

    async def fetch(self, sha256: str) -> bytes:
        """An artifact's bytes, unverified. Raises SessionEnded if the coordinator cannot send it, or sends too much."""
        data = bytearray()

        async def take(part: bytes) -> None:
            data.extend(part)
            if len(data) > ARTIFACT_LIMIT:
                raise SessionEnded(f"artifact {sha256[:16]}… is larger than {ARTIFACT_LIMIT >> 20} MiB")

        await self.fetch_parts(sha256, 0, take)
        return bytes(data)

    async def fetch_parts(self, sha256: str, offset: int, take: TakePart) -> None:
        """Passes on the bytes of an artifact or snapshot from an offset on, unverified, as they come.

        Raises SessionEnded if the coordinator cannot send it, and what `take` raises.
        """
        if self._stub is None:
            raise SessionEnded("not connected to the coordinator")
        call = self._stub.Fetch(pb.FetchRequest(sha256=sha256, offset=offset))
        try:
            with self._calling():
                while True:
                    async with asyncio.timeout(CHUNK_SECONDS):
                        chunk = await call.read()
                    if not isinstance(chunk, pb.Chunk):
                        return
                    await take(chunk.data)
        except TimeoutError:
            raise SessionEnded(f"artifact {sha256[:16]}…: nothing came for {CHUNK_SECONDS:g} s") from None
        finally:
            call.cancel()

    async def renew(self, csr: bytes) -> bytes:
        """A new certificate (PEM) for this agent. Raises SessionEnded if the coordinator does not send one."""
        if self._stub is None:
            raise SessionEnded("not connected to the coordinator")
        with self._calling():
            return (await self._stub.Renew(pb.JoinRequest(csr=csr), timeout=RENEW_SECONDS)).certificate

    @contextlib.contextmanager
    def _calling(self) -> Iterator[None]:
        """Raises SessionEnded if the call fails, or if the connection ends during it.

        In the latter case grpc raises CancelledError in the caller, as if the caller had been cancelled.
        """
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise session_end(error, self._coordinator) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise SessionEnded("the connection to the coordinator ended") from None

    async def _serve(self, stub: rpc.CoordinationAsyncStub, joined: Callable[[pb.Welcome], None]) -> None:
        hello = spoken(self._work.hello())
        hello.version = _version()
        self._outbox.put_nowait(pb.FromAgent(hello=hello))
        call = stub.Session()
        running: set[asyncio.Task[None]] = set()
        _keep(partial(self._write, call), running)
        try:
            await self._welcomed(call, joined)
            _keep(self._report_status, running)
            while isinstance(message := await call.read(), pb.FromCoordinator):
                self._take(message, running)
                await self._room(running)
        finally:
            await end(*running)
        raise SessionEnded("the coordinator ended the session")

    async def _welcomed(self, call: Call, joined: Callable[[pb.Welcome], None]) -> None:
        try:
            async with asyncio.timeout(WELCOME_SECONDS):
                first = await call.read()
        except TimeoutError:
            raise SessionEnded(f"no Welcome came from {self._coordinator}") from None
        if not isinstance(first, pb.FromCoordinator) or first.WhichOneof("body") != "welcome":
            raise SessionEnded(f"{self._coordinator} did not say Welcome")
        self._work.welcome(first.welcome, self._send)
        joined(first.welcome)

    def _take(self, message: pb.FromCoordinator, running: set[asyncio.Task[None]]) -> None:
        kind = message.WhichOneof("body")
        if kind == "task":
            self._work.accept(message.task)
        elif kind == "welcome":
            self._work.welcome(message.welcome, self._send)
        elif kind == "admission":
            self._work.admitted(message.admission)
        elif kind == "query":
            _keep(partial(self._answer, message.query), running)

    def _send(self, message: pb.FromAgent) -> None:
        self._outbox.put_nowait(message)
        if message.WhichOneof("body") == "result":
            self._ended.set()

    async def _room(self, running: set[asyncio.Task[None]]) -> None:
        """Stops reading while the coordinator asks faster than this host answers, or does not read the answers."""
        while len(running) > AT_ONCE:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        while self._outbox.qsize() > AT_ONCE and not self._deaf:
            self._heard.clear()
            await self._heard.wait()

    async def _answer(self, query: pb.Query) -> None:
        self._outbox.put_nowait(pb.FromAgent(answer=await self._work.answer(query)))

    async def _report_status(self) -> None:
        """Polls the nodes, sooner when a task has ended. A change is reported at once, all every STATUS_SECONDS."""
        sent, sent_at = b"", 0.0
        while True:
            self._ended.clear()
            status = await self._work.status()
            now = status.SerializeToString(deterministic=True)
            if now != sent or time.monotonic() - sent_at >= STATUS_SECONDS:
                sent, sent_at = now, time.monotonic()
                status.clock = time.time()
                self._outbox.put_nowait(pb.FromAgent(status=status))
            await asyncio.sleep(SHORTEST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS - SHORTEST_SECONDS):
                    await self._ended.wait()

    async def _write(self, call: Call) -> None:
        """Sends the outbox until the connection ends. The reading side reports why it ended.

        grpc also accepts an asynchronous generator, but leaves it pending when the call ends, which logs an error when
        the event loop closes.
        """
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await call.write(await self._outbox.get())
                self._heard.set()
        self._deaf = True
        self._heard.set()


@cache
def _version() -> str:
    """Of the installation: looked up once, not with each dial."""
    return version("bootcoord")


def _keep(work: Callable[[], Coroutine[Any, Any, None]], running: set[asyncio.Task[None]]) -> None:
    """Runs it beside the session."""
    task = begin(work, "a report to the coordinator")
    running.add(task)
    task.add_done_callback(running.discard)


def session_end(error: grpc.aio.AioRpcError, coordinator: str) -> SessionEnded:
    """How the session ended, from the error of its call."""
    if error.code() is grpc.StatusCode.PERMISSION_DENIED:
        replaced = kind_of(error.trailing_metadata()) is RefusalKind.REPLACED
        return (Replaced if replaced else Refused)(f"the coordinator refuses this agent: {error.details()}")
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return SessionEnded(f"no coordinator at {coordinator}: {error.details()}")
    return SessionEnded(f"the session ended: {error.details()} ({error.code().name})")
