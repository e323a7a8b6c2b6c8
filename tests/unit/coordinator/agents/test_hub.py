"""Agents and the hub over real gRPC and TLS, in one process."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from agent.errors import Refused, SessionEnded
from agent.session import Send
from antelope.errors import AssertionFailed, Unreachable
from coordinator.agents.hub import AgentEvent, Hub
from coordinator.agents.link import ObserverError, RevokedError
from coordinator.agents.records import BusyError, HubError
from coordinator.agents.register import Entry, Register
from coordinator.report.audit import RemoteNode
from protos import coordination_pb2 as pb
from support.journal import Journal, JournalError
from support.retry import DeadlineError, poll
from support.tls import Kind
from tests.unit.coordinator.fakes import FakeWork, credentials, dial, open_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """An acting hub on a free port."""
    async with open_hub(tmp_path / "state") as hub:
        yield hub


async def _ended(session: asyncio.Task[None]) -> SessionEnded:
    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(session, 30)
    return ended.value


async def test_an_agent_connects_and_answers_a_query(hub: Hub, tmp_path: Path) -> None:
    """A link has what the agent said, its status, and nodeos' answer to a query."""
    work = FakeWork()
    session = dial(hub, credentials(hub, tmp_path, "alpha"), work)
    link = await hub.agent("alpha", 30)
    assert link.hello is not None
    assert link.hello.manifest == "ab"
    assert await RemoteNode(link, "genesis").call("/v1/chain/get_info", {"a": 1}) == {"a": 1}

    async def head() -> bool:
        return link.status is not None and link.status.nodes[0].head == 7

    await poll(head, what="a status", deadline=30)
    session.cancel()


def _number(number: bytes, query: pb.Query) -> pb.Answer:
    return pb.Answer(id=query.id, status=200, body=b'{"head_block_num": %b}' % number)


async def test_a_query_raises_what_a_node_client_raises(hub: Hub, tmp_path: Path) -> None:
    """nodeos' refusals come through as their types, an absent node or agent as Unreachable."""
    refusal = b'{"code":500,"error":{"code":3050003,"name":"eosio_assert_message_exception","what":"no","details":[]}}'
    work = FakeWork(answers=lambda query: pb.Answer(id=query.id, status=500, body=refusal))
    session = dial(hub, credentials(hub, tmp_path, "alpha"), work)
    link = await hub.agent("alpha", 30)
    with pytest.raises(AssertionFailed):
        await link.query("genesis", "/v1/chain/get_info")
    work.answers = lambda query: pb.Answer(id=query.id, error="stopped\x1b[2J")
    with pytest.raises(Unreachable, match=r"stopped \[2J"):
        await link.query("genesis", "/v1/chain/get_info")
    for number in (b"1e400", b"-Infinity", b"NaN"):
        work.answers = partial(_number, number)
        with pytest.raises(Unreachable, match="not JSON"):
            await link.query("genesis", "/v1/chain/get_info")
    session.cancel()

    async def lost() -> bool:
        return not link.connected

    await poll(lost, what="the agent to go", deadline=30)
    with pytest.raises(Unreachable, match="not connected"):
        await link.query("genesis", "/v1/chain/get_info")


async def test_a_task_survives_a_dropped_connection(hub: Hub, tmp_path: Path) -> None:
    """The same id is sent again when the agent returns; each pushed transaction is heard of once, junk never."""
    shown = credentials(hub, tmp_path, "alpha")

    def half(task: pb.Task, send: Send) -> None:
        send(pb.FromAgent(progress=pb.Progress(task=task.id, pushed=[pb.Pushed(key="a", transaction="01" * 32)])))

    def whole(task: pb.Task, send: Send) -> None:
        told = [("a", "01"), ("b", "\n"), ("b", "02"), ("b", "03"), ("unasked", "04")]
        pushed = [pb.Pushed(key=key, transaction=transaction * 32) for key, transaction in told]
        send(pb.FromAgent(progress=pb.Progress(task=task.id, pushed=pushed)))
        send(pb.FromAgent(result=pb.Result(task=task.id, ok=True)))

    first, second = FakeWork(carry_out=half), FakeWork(carry_out=whole)
    session = dial(hub, shown, first)
    link = await hub.agent("alpha", 30)
    heard: list[str] = []
    running = asyncio.create_task(
        link.task(
            pb.RunStep(step="x"),
            lambda progress: heard.extend(pushed.key for pushed in progress.pushed),
            keys=("a", "b"),
        )
    )

    async def begun() -> bool:
        return heard == ["a"]

    await poll(begun, what="the first progress", deadline=30)
    session.cancel()
    again = dial(hub, shown, second)
    assert (await asyncio.wait_for(running, 30)).ok
    assert heard == ["a", "b"]
    assert [task.id for task in first.tasks] == [task.id for task in second.tasks]
    again.cancel()


async def test_a_task_has_a_deadline(hub: Hub, tmp_path: Path) -> None:
    """An agent that says nothing is not waited for beyond it."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork(carry_out=lambda task, send: None))
    link = await hub.agent("alpha", 30)
    with pytest.raises(DeadlineError, match="recount on alpha"):
        await link.task(pb.Recount(step="n"), deadline=0.2)
    with pytest.raises(DeadlineError, match="agent of beta"):
        await hub.agent("beta", 0.1)
    session.cancel()


async def test_revocation_ends_an_open_stream_at_once(hub: Hub, tmp_path: Path) -> None:
    """Within seconds the session is refused for good, and its task fails."""
    shown = credentials(hub, tmp_path, "alpha", Kind.PARTY)
    session = dial(hub, shown, FakeWork(carry_out=lambda task, send: None))
    link = await hub.agent("alpha", 30)
    running = asyncio.create_task(link.task(pb.Recount(step="n")))
    await asyncio.sleep(0)
    hub.register.revoke("alpha")  # as another process would: the hub is not told
    async with asyncio.timeout(30):
        with pytest.raises(RevokedError):
            await running
        assert isinstance(await _ended(session), Refused)
    assert isinstance(await _ended(dial(hub, shown, FakeWork())), Refused)
    with pytest.raises(RevokedError):
        await hub.agent("alpha", 1)


async def test_revocation_works_again_after_a_full_disk(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A register that cannot be read for a moment does not end the watch over it."""
    monkeypatch.setattr("coordinator.agents.hub.AGAIN_SECONDS", 0)
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    await hub.agent("alpha", 30)
    entries, failed = hub.register.entries, asyncio.Event()

    def fails() -> object:
        if failed.is_set():
            return entries()
        failed.set()
        raise JournalError("disk full")

    monkeypatch.setattr(hub.register, "entries", fails)
    await asyncio.wait_for(failed.wait(), 30)
    hub.register.revoke("alpha")
    assert isinstance(await asyncio.wait_for(_ended(session), 30), Refused)


async def test_revocation_ends_a_busy_stream_too(hub: Hub, tmp_path: Path) -> None:
    """With questions on their way, every asker hears that the agent is gone, and the agent at its next dial why."""
    for number in range(5):
        shown = credentials(hub, tmp_path, name := f"busy{number}")
        session = dial(hub, shown, FakeWork())
        link = await hub.agent(name, 30)
        body = "x" * 100_000
        asked = [asyncio.create_task(link.query("genesis", "/v1/chain/get_info", body)) for _ in range(20)]
        await asyncio.sleep(0)
        hub.revoke(name)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(answer == body or isinstance(answer, Unreachable) for answer in answers)
        await _ended(session)
        assert isinstance(await _ended(dial(hub, shown, FakeWork())), Refused)


async def test_a_second_session_takes_over(hub: Hub, tmp_path: Path) -> None:
    """The older session of the same name ends, not for good, and the agent is never lost."""
    shown = credentials(hub, tmp_path, "alpha")
    first = dial(hub, shown, FakeWork())
    link = await hub.agent("alpha", 30)
    second_work = FakeWork()
    second = dial(hub, shown, second_work)
    ended = await _ended(first)
    assert "replaced this one" in str(ended)
    assert not isinstance(ended, Refused)
    assert link.connected
    assert (await link.task(pb.Recount(step="n"), deadline=30)).ok
    assert len(second_work.tasks) == 1
    second.cancel()


async def test_enrolling_again_voids_the_older_certificate(hub: Hub, tmp_path: Path) -> None:
    """Only the certificate that was signed last may be used."""
    older = credentials(hub, tmp_path, "alpha")
    newer = credentials(hub, tmp_path, "alpha")
    assert isinstance(await _ended(dial(hub, older, FakeWork())), Refused)
    session = dial(hub, newer, FakeWork())
    assert await hub.agent("alpha", 30)
    session.cancel()


async def test_the_epoch_is_above_what_each_agent_has_seen(tmp_path: Path) -> None:
    """It rises with each acting run, and above that for an agent that has seen a higher one, or another run's same."""
    state = tmp_path / "state"
    async with open_hub(state) as hub:
        first, port = hub.epoch, hub.port
        shown = credentials(hub, tmp_path, "alpha")
    async with open_hub(state) as hub:
        assert (hub.epoch, hub.port) == (first + 1, port)
        work = FakeWork(epoch=40, instance="other")
        session = dial(hub, shown, work)
        link = await hub.agent("alpha", 30)
        assert (hub.epoch, link.epoch) == (first + 1, 41)
        await link.task(pb.Recount(step="n"), deadline=30)
        assert work.tasks[0].epoch == work.welcomes[-1].epoch == 41
        session.cancel()
        session = dial(hub, shown, FakeWork(epoch=41, instance="another run's"))

        async def risen() -> bool:
            return link.epoch == 42

        await poll(risen, what="the epoch to rise", deadline=30)
        session.cancel()


async def test_a_host_that_claims_a_high_epoch_moves_nobody_else(tmp_path: Path) -> None:
    """Its claim raises the epoch for itself alone: others are told the coordinator's own, now and in the next run."""
    state = tmp_path / "state"
    async with open_hub(state) as hub:
        shown = {name: credentials(hub, tmp_path, name) for name in ("alpha", "beta")}
        honest, first = FakeWork(), hub.epoch
        sessions = [dial(hub, shown["beta"], honest)]
        await hub.agent("beta", 30)
        sessions.append(dial(hub, shown["alpha"], FakeWork(epoch=(1 << 61) + 7, instance="liar")))
        link = await hub.agent("alpha", 30)
        assert (hub.epoch, link.epoch) == (first, (1 << 61) + 8)
        await (await hub.agent("beta", 30)).task(pb.Recount(step="n"), deadline=5)
        assert [welcome.epoch for welcome in honest.welcomes] == [first]
        assert honest.tasks[0].epoch == first
        for session in sessions:
            session.cancel()
    async with open_hub(state) as hub:
        assert hub.epoch == first + 1


async def test_an_observer_gives_no_tasks(tmp_path: Path) -> None:
    """It queries, with epoch 0, and leaves the journal's epoch alone."""
    async with open_hub(tmp_path / "state", acting=False) as hub:
        work = FakeWork()
        session = dial(hub, credentials(hub, tmp_path, "alpha"), work)
        link = await hub.agent("alpha", 30)
        assert await link.query("genesis", "/v1/chain/get_info", [1]) == [1]
        assert work.welcomes[0].epoch == 0
        with pytest.raises(ObserverError):
            await link.task(pb.Recount(step="n"))
        session.cancel()
    async with open_hub(tmp_path / "state") as hub:
        assert hub.epoch == 1


async def test_one_coordinator_at_a_time(hub: Hub, tmp_path: Path) -> None:
    """A second one of the same state, or on the same port, says so."""
    with pytest.raises(BusyError):
        async with open_hub(tmp_path / "state"):
            pass
    with pytest.raises(HubError, match="cannot listen"):
        async with open_hub(tmp_path / "other", listen=f"127.0.0.1:{hub.port}"):
            pass


async def test_comings_and_goings_are_told(tmp_path: Path) -> None:
    """Joined, lost and revoked reach whoever asked."""
    events: list[AgentEvent] = []
    async with open_hub(tmp_path / "state", on_event=events.append) as hub:
        shown = credentials(hub, tmp_path, "alpha")
        session = dial(hub, shown, FakeWork())
        await hub.agent("alpha", 30)
        session.cancel()

        async def lost() -> bool:
            return len(events) == 2

        await poll(lost, what="the loss", deadline=30)
        hub.revoke("alpha")
    assert [str(event.what) for event in events] == ["joined", "lost", "revoked"]


async def test_artifacts_are_fetched(hub: Hub, tmp_path: Path) -> None:
    """Bytes larger than a message come whole; what is not held, or not a name, is refused."""
    from agent.session import Session

    data = bytes(range(256)) * 40_000
    name = hub.artifacts.put(data)
    session = Session(f"localhost:{hub.port}", credentials(hub, tmp_path, "alpha"), FakeWork())
    running = asyncio.create_task(session.run(lambda _: None))
    await hub.agent("alpha", 30)
    assert await session.fetch(name) == data
    for wrong in ("0" * 64, "../journal.sqlite", ""):
        with pytest.raises(SessionEnded, match="no artifact"):
            await session.fetch(wrong)
    running.cancel()


async def test_a_fault_while_a_message_is_read_is_logged_and_ends_the_stream(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both sides read that it is the coordinator's, and its log has the cause; the agent may dial again."""

    def broken(connection: object, message: object) -> str:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(hub, "received", broken)
    ended = await _ended(dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork()))
    assert "a fault of the coordinator (ZeroDivisionError)" in str(ended)
    assert not isinstance(ended, Refused)
    faults = [record for record in caplog.records if record.exc_info and record.exc_info[0] is ZeroDivisionError]
    assert [record.getMessage() for record in faults] == ["a fault of the coordinator ended the stream of alpha"]


async def test_watching_the_register_reads_it_only_when_somebody_wrote(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages of agents and the watch over open streams cost no query each; a write of another process is seen."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    link = await hub.agent("alpha", 30)
    reads: list[str] = []
    rows = hub.records.journal.rows

    def counting(query: str, *values: object) -> list[tuple[object, ...]]:
        reads.append(query)
        return rows(query, *values)

    looks: Counter[str] = Counter()
    version, entries = hub.records.journal.version, hub.register.entries

    def looking(table: str) -> tuple[int, int]:
        looks["version"] += 1
        return version(table)

    def checking() -> tuple[Entry, ...]:
        looks["entries"] += 1
        return entries()

    async def looked() -> bool:
        return looks["version"] >= 4

    monkeypatch.setattr(hub.records.journal, "rows", counting)
    monkeypatch.setattr(hub.register, "entries", checking)
    await asyncio.gather(*(link.query("genesis", "/v1/chain/get_info", 1) for _ in range(100)))
    monkeypatch.setattr(hub.records.journal, "version", looking)
    await poll(looked, what="looks at the register", deadline=30)
    assert len(reads) <= 1
    assert looks["entries"] <= 1
    with closing(Journal(hub.records.journal.path)) as other:
        Register(other).revoke("alpha")
    assert isinstance(await asyncio.wait_for(_ended(session), 30), Refused)


async def test_nothing_stays_open_when_listening_fails(hub: Hub, tmp_path: Path) -> None:
    """Its journal and lock are free for the next command."""
    with pytest.raises(HubError, match="cannot listen"):
        async with open_hub(tmp_path / "other", listen=f"127.0.0.1:{hub.port}"):
            pass
    opened = {os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    assert not [path for path in opened if str(tmp_path / "other") in path]
