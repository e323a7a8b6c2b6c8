"""A session with a coordinator that sends too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent import session
from agent.errors import SessionEnded
from agent.session import Session
from coordinator.agents.hub import Hub
from protos import coordination_pb2 as pb
from support.retry import poll
from tests.unit.coordinator.fakes import FakeWork, credentials, open_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub on a free port."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub


class Slow(FakeWork):
    """Answers nothing before it may, and counts what it was asked."""

    asked = 0
    go = asyncio.Event()

    async def answer(self, query: pb.Query) -> pb.Answer:
        """Late."""
        self.asked += 1
        await self.go.wait()
        return pb.Answer(id=query.id, status=200)


async def test_an_artifact_without_end_is_not_taken_in(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data larger than any artifact ends the fetch, complete artifacts arrive, and the session continues."""
    monkeypatch.setattr(session, "ARTIFACT_LIMIT", 3 << 20)
    small, large = hub.artifacts.put(bytes(3 << 20)), hub.artifacts.put(bytes(4 << 20))
    talk = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), FakeWork())
    running = asyncio.create_task(talk.run(lambda _: None))
    await hub.agent("alpha", 30)
    assert await talk.fetch(small) == bytes(3 << 20)
    with pytest.raises(SessionEnded, match="larger than 3 MiB"):
        await talk.fetch(large)
    assert not running.done()
    running.cancel()


@pytest.mark.parametrize("name", ["grpc_proxy", "https_proxy", "http_proxy"])
async def test_no_proxy_of_the_environment_is_used(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What a user's environment names is for the internet; a coordinator is dialled directly."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("no_grpc_proxy", raising=False)
    talk = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), FakeWork())
    running = asyncio.create_task(talk.run(lambda _: None))
    await hub.agent("alpha", 15)
    assert not running.done()
    running.cancel()


async def test_who_asks_too_much_waits(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions beyond what an agent answers at once stay unread until it has answered others."""
    monkeypatch.setattr(session, "AT_ONCE", 5)
    work, last = Slow(), hub.artifacts.put(b"last")
    talk = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), work)
    running = asyncio.create_task(talk.run(lambda _: None))
    link = await hub.agent("alpha", 30)
    connection = link._connection
    assert connection
    for number in range(50):
        connection.send(pb.FromCoordinator(query=pb.Query(id=str(number))))

    async def asked(count: int) -> bool:
        return work.asked >= count

    await poll(lambda: asked(4), what="the first questions", deadline=30, every=0.01)
    for _ in range(3):
        assert await talk.fetch(last) == b"last"  # comes over the same connection, after all questions
    assert work.asked == 4  # besides what the session itself does at the same time
    work.go.set()
    await poll(lambda: asked(50), what="the others", deadline=30, every=0.01)
    running.cancel()


async def test_a_call_that_the_connections_end_cuts_off_cancels_nobody(hub: Hub, tmp_path: Path) -> None:
    """grpc raises CancelledError in whoever called: to them the session has ended. Who is cancelled stays so."""
    talk = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), FakeWork())
    called, never = asyncio.Event(), asyncio.Event()

    class Stub:
        async def Renew(self, request: pb.JoinRequest, timeout: float) -> pb.JoinReply:  # noqa: N802, ASYNC109 (as gRPC has it)
            called.set()
            if request.csr:
                await never.wait()
            raise asyncio.CancelledError

    talk._stub = Stub()  # type: ignore[assignment]
    with pytest.raises(SessionEnded, match="connection to the coordinator ended"):
        await talk.renew(b"")
    called.clear()
    waiting = asyncio.create_task(talk.renew(b"csr"))
    await called.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Watched(FakeWork):
    """Counts how often its nodes are looked at."""

    looks = 0

    async def status(self) -> pb.Status:
        """As they are."""
        self.looks += 1
        return await super().status()


async def test_the_nodes_are_looked_at_when_a_task_has_ended(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have started or stopped one: the coordinator learns that at once, not at the next look."""
    monkeypatch.setattr(session, "LOOK_SECONDS", 600.0)
    work = Watched()
    talk = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), work)
    running = asyncio.create_task(talk.run(lambda _: None))
    link = await hub.agent("alpha", 30)

    async def looked(often: int) -> bool:
        return work.looks >= often

    await poll(lambda: looked(1), what="the first look", deadline=30, every=0.01)
    await link.task(pb.Recount(step="accounts"), deadline=30)
    await poll(lambda: looked(2), what="a look after the task", deadline=30, every=0.01)
    running.cancel()
