"""Agents and the hub over real gRPC and TLS, in one process."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import pytest
from grpc.aio import Metadata

from agent.errors import Refused, Replaced, SessionEnded
from agent.session import Send, session_end
from antelope.errors import AssertionFailed, Unreachable
from coordinator.agents.hub import Hub
from coordinator.agents.link import AgentLink, AwayError, ObserverError
from coordinator.agents.listeners import AgentEvent
from coordinator.agents.records import BusyError, HubError
from coordinator.agents.takeovers import MOST, Takeovers
from coordinator.report.audit import RemoteNode
from protos import coordination_pb2 as pb
from protos.language import OLDEST, SPOKEN, misfit
from protos.refusals import KEY, RefusalKind, kind_of, metadata
from support.retry import DeadlineError, poll
from tests.unit.coordinator.fakes import FakeWork, credentials, dial, end_of, open_hub


async def test_an_agent_connects_and_answers_a_query(hub: Hub, tmp_path: Path) -> None:
    """A link has the agent's Hello and status, and nodeos' answer to a query."""
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


async def test_a_message_costs_no_new_link(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent has one link for ever. One made for each message, and thrown away, takes a tenth of its CPU."""
    made: list[AgentLink] = []

    class Counted(AgentLink):
        def __init__(self, name: str, epoch: Callable[[], int]) -> None:
            made.append(self)
            super().__init__(name, epoch)

    monkeypatch.setattr("coordinator.agents.hub.AgentLink", Counted)
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    link = await hub.agent("alpha", 30)
    for _ in range(3):
        await RemoteNode(link, "genesis").call("/v1/chain/get_info", {})
    assert made == [link]
    session.cancel()


async def test_what_an_agent_holds(hub: Hub, tmp_path: Path) -> None:
    """What its Hello says, and what it took since; a later Hello counts more, since it may have lost its files."""
    work = FakeWork()
    shown = credentials(hub, tmp_path, "alpha")
    session = dial(hub, shown, work)
    link = await hub.agent("alpha", 30)
    assert link.manifest == "ab"
    await link.task(pb.Hold(sha256="cd"), deadline=30)
    assert link.manifest == "cd"
    work.carry_out = lambda task, send: send(pb.FromAgent(result=pb.Result(task=task.id, error="no")))
    await link.task(pb.Hold(sha256="ef"), deadline=30)
    assert link.manifest == "cd"
    again = dial(hub, shown, work)

    async def renewed() -> bool:
        return link.manifest == "ab"

    await poll(renewed, what="the second Hello", deadline=30)
    for each in (session, again):
        each.cancel()


def _number(number: bytes, query: pb.Query) -> pb.Answer:
    return pb.Answer(id=query.id, status=200, body=b'{"head_block_num": %b}' % number)


async def test_a_query_raises_what_a_node_client_raises(hub: Hub, tmp_path: Path) -> None:
    """nodeos' refusals arrive as their own types, an absent node or agent as Unreachable."""
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
    """The same id is sent again when the agent returns; each pushed transaction is reported once, and junk never."""
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
    """A silent agent is not waited for beyond it."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork(carry_out=lambda task, send: None))
    link = await hub.agent("alpha", 30)
    with pytest.raises(DeadlineError, match="recount on alpha"):
        await link.task(pb.Recount(step="n"), deadline=0.2)
    with pytest.raises(DeadlineError, match="agent of beta"):
        await hub.agent("beta", 0.1)
    session.cancel()


async def test_nobody_waits_twice_for_an_agent_that_is_away(hub: Hub, tmp_path: Path) -> None:
    """Its tasks fail at once, until it connects: from then on they survive a dropped connection again."""
    shown = credentials(hub, tmp_path, "alpha")
    link = hub.links["alpha"]
    link.do_without()
    with pytest.raises(AwayError, match="the agent of alpha is away"):
        await link.task(pb.Recount(step="n"))
    session = dial(hub, shown, FakeWork())
    assert await hub.agent("alpha", 30) is link
    assert (await link.task(pb.Recount(step="n"), deadline=30)).ok
    link.do_without()  # it is there
    assert (await link.task(pb.Recount(step="n"), deadline=30)).ok
    session.cancel()


async def test_an_observer_gives_no_tasks(tmp_path: Path) -> None:
    """It queries with epoch 0, and does not change the epoch in the journal."""
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
    """A second one with the same state or port is refused with the reason."""
    with pytest.raises(BusyError):
        async with open_hub(tmp_path / "state"):
            pass
    with pytest.raises(HubError, match="cannot listen"):
        async with open_hub(tmp_path / "other", listen=f"127.0.0.1:{hub.port}"):
            pass


async def test_comings_and_goings_are_told(tmp_path: Path) -> None:
    """The callback gets joined, lost and revoked."""
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
    """An artifact larger than a message arrives whole; unknown and malformed names are refused."""
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
    """Both sides are told that the fault is the coordinator's, its log has the cause, and the agent may dial again."""

    def broken(connection: object, message: object) -> str:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(hub, "received", broken)
    ended = await end_of(dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork()))
    assert "a fault of the coordinator (ZeroDivisionError)" in str(ended)
    assert not isinstance(ended, Refused)
    faults = [record for record in caplog.records if record.exc_info and record.exc_info[0] is ZeroDivisionError]
    assert [record.getMessage() for record in faults] == ["a fault of the coordinator ended the stream of alpha"]


async def test_nothing_stays_open_when_listening_fails(hub: Hub, tmp_path: Path) -> None:
    """Its journal and lock are free for the next command."""
    with pytest.raises(HubError, match="cannot listen"):
        async with open_hub(tmp_path / "other", listen=f"127.0.0.1:{hub.port}"):
            pass
    opened = {os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    assert not [path for path in opened if str(tmp_path / "other") in path]


async def test_a_replaced_machines_agent_is_told_so(hub: Hub, tmp_path: Path) -> None:
    """On its open stream and when it dials again; the machine that has its name now is accepted."""
    shown = credentials(hub, tmp_path, "alpha")
    session = dial(hub, shown, FakeWork())
    await hub.agent("alpha", 30)
    hub.register.replace("alpha")
    assert isinstance(await end_of(session), Replaced)
    again = await end_of(dial(hub, shown, FakeWork()))
    assert isinstance(again, Replaced)
    assert "alpha was replaced by another machine" in str(again)
    new = dial(hub, credentials(hub, tmp_path / "new", "alpha"), FakeWork())
    await hub.agent("alpha", 30)
    assert isinstance(await end_of(dial(hub, shown, FakeWork())), Replaced)
    new.cancel()


async def test_a_copy_of_a_machine_is_noticed(hub: Hub, tmp_path: Path) -> None:
    """Two agents with one certificate that replace each other again and again; a single reconnection is none."""
    shown = credentials(hub, tmp_path, "alpha")
    sessions = [dial(hub, shown, FakeWork())]
    link = await hub.agent("alpha", 30)
    for number in range(MOST):
        assert not link.contested
        sessions.append(dial(hub, shown, FakeWork()))
        assert "another session of alpha replaced this one" in str(await end_of(sessions[number]))
    assert link.contested
    assert not Takeovers().contested(0.0)
    sessions[-1].cancel()


@dataclass
class Follower(FakeWork):
    """An agent that has met a coordinator which was moved."""

    moved: int = 0

    def hello(self) -> pb.Hello:
        """With that."""
        return pb.Hello(epoch=self.epoch, instance=self.instance, manifest="ab", moved=self.moved)


async def test_a_coordinator_that_was_moved_away_hears_of_it(hub: Hub, tmp_path: Path) -> None:
    """From a host's agent; from then on its commands say where to work."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), Follower(moved=1_000))
    await hub.agent("alpha", 30)
    with pytest.raises(HubError, match="was restored on another machine"):
        hub.records.check_leading()
    session.cancel()


@pytest.mark.parametrize(
    "moved", [int(time.time()) + 172_800, (1 << 63) - 1, (1 << 64) - 1], ids=["in two days", "63 bits", "64 bits"]
)
async def test_a_host_that_claims_a_future_move_shuts_nobody_out(hub: Hub, tmp_path: Path, moved: int) -> None:
    """Believed, it would last: agents refuse a coordinator that says it moved in the future, to win against that."""
    session = dial(hub, credentials(hub, tmp_path, "alpha"), Follower(moved=moved))
    link = await hub.agent("alpha", 30)
    assert (await link.task(pb.Recount(step="n"))).ok
    hub.records.check_leading()
    session.cancel()


@pytest.mark.parametrize(
    ("protocol", "oldest", "fits"), [(0, 0, True), (SPOKEN, OLDEST, True), (SPOKEN + 1, SPOKEN, True), (9, 9, False)]
)
async def test_agents_of_other_versions(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int, oldest: int, fits: bool
) -> None:
    """One from before versions were compared works, as does a newer one that still understands this coordinator; one
    that does not is refused for good, with both versions and what to install."""

    def spoken(hello: pb.Hello) -> pb.Hello:
        hello.protocol, hello.oldest_protocol = protocol, oldest
        return hello

    monkeypatch.setattr("agent.session.spoken", spoken)
    session = dial(hub, credentials(hub, tmp_path, "alpha"), FakeWork())
    if fits:
        link = await hub.agent("alpha", 30)
        assert (await link.task(pb.Recount(step="n"))).ok
        session.cancel()
        return
    refused = await end_of(session)
    assert isinstance(refused, Refused)
    version = importlib.metadata.version("bootcoord")
    said = f"the agent is of bootcoord {version} and the coordinator of {version}, which do not understand each other "
    assert f"{said}(protocols 9 and {SPOKEN}): install the agent's version for the coordinator" in str(refused)
    assert not hub.links["alpha"].connected


def test_an_agent_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the coordinator no longer understands its language, the agent is the one to replace."""
    monkeypatch.setattr("protos.language.SPOKEN", 3)
    monkeypatch.setattr("protos.language.OLDEST", 2)
    assert misfit(pb.Hello(), "0.1.0", "0.3.0").endswith("install the coordinator's version for the agent")
    assert not misfit(pb.Hello(protocol=2), "0.2.0", "0.3.0")


def test_why_an_agent_is_refused_is_not_read_from_the_text() -> None:
    """The kind travels beside the text: missing or unknown kinds mean an ordinary refusal, whatever the text says."""
    words = "alpha was replaced by another machine"
    for trailing in ((), ((KEY, "a kind of a later version"),)):
        assert kind_of(trailing) is RefusalKind.OTHER
        error = grpc.aio.AioRpcError(grpc.StatusCode.PERMISSION_DENIED, Metadata(), Metadata(*trailing), words)
        assert type(session_end(error, "h:1")) is Refused
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.PERMISSION_DENIED, Metadata(), Metadata(*metadata(RefusalKind.REPLACED)), "no"
    )
    assert type(session_end(error, "h:1")) is Replaced
