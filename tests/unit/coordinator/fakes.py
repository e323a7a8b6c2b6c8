"""An agent's end of a session, without an agent: what the hub's tests speak to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import SessionEnded
from agent.session import Credentials, Send, Session
from coordinator.agents.hub import Hub
from coordinator.agents.listeners import AgentEvent, PartyHandler
from coordinator.agents.records import Records
from protos import coordination_pb2 as pb
from support.endpoint import Endpoint
from support.identity import Kind
from support.tls import key_pem, load_or_make_key, make_csr


@asynccontextmanager
async def listening(
    records: Records,
    parties: PartyHandler | None = None,
    *,
    acting: bool = True,
    listen: str = "127.0.0.1:0",
    on_event: Callable[[AgentEvent], None] | None = None,
) -> AsyncIterator[Hub]:
    """A hub that listens, as a command opens it."""
    hub = Hub(records, acting=acting, parties=parties, on_event=on_event)
    async with hub.listening(Endpoint.parse(listen)):
        yield hub


@asynccontextmanager
async def open_hub(folder: Path, **options: Any) -> AsyncIterator[Hub]:
    """As `listening`, of the network `net`, whose state is in that folder."""
    with Records(folder, "net") as records:
        async with listening(records, **options) as hub:
            yield hub


def credentials(hub: Hub, folder: Path, name: str, kind: Kind = Kind.HOST) -> Credentials:
    """Enrols an agent of that name and gives it a key."""
    key = load_or_make_key(folder / f"{name}.key")
    return Credentials(key_pem(key), hub.enrol(name, kind, make_csr(key, name)), hub.authority.pem)


@dataclass
class FakeWork:
    """Finishes every task by `carry_out`, and answers every query with `answers`."""

    epoch: int = 0
    instance: str = ""
    carry_out: Callable[[pb.Task, Send], None] = lambda task, send: send(
        pb.FromAgent(result=pb.Result(task=task.id, ok=True))
    )
    answers: Callable[[pb.Query], pb.Answer] = lambda query: pb.Answer(id=query.id, status=200, body=query.body)
    tasks: list[pb.Task] = field(default_factory=list)
    welcomes: list[pb.Welcome] = field(default_factory=list)
    send: Send | None = None

    def hello(self) -> pb.Hello:
        """As the protocol asks."""
        return pb.Hello(epoch=self.epoch, instance=self.instance, manifest="ab")

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """Remembers it."""
        self.welcomes.append(welcome)
        self.send = send

    def parted(self) -> None:
        """Reports go nowhere now."""
        self.send = None

    def admitted(self, admission: pb.Admission) -> None:
        """It is not a party."""

    def accept(self, task: pb.Task) -> None:
        """Remembers it, and carries it out."""
        self.tasks.append(task)
        assert self.send
        self.carry_out(task, self.send)

    async def answer(self, query: pb.Query) -> pb.Answer:
        """As the test says."""
        return self.answers(query)

    async def status(self) -> pb.Status:
        """One node."""
        return pb.Status(nodes=[pb.NodeStatus(name="genesis", state="running", head=7)])


def dial(hub: Hub, shown: Credentials, work: FakeWork) -> asyncio.Task[None]:
    """Runs a session; cancel the task to drop the connection."""
    return asyncio.create_task(Session(f"localhost:{hub.port}", shown, work).run(lambda _: None))


async def end_of(session: asyncio.Task[None]) -> SessionEnded:
    """Why the session ended; it ends within half a minute."""
    try:
        async with asyncio.timeout(30):
            await session
    except SessionEnded as error:
        return error
    raise AssertionError("the session ended without a reason")
