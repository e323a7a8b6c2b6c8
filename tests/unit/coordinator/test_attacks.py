"""Who must not get in, and what must not disturb others."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from agent.errors import Refused, SessionEnded
from agent.session import OPTIONS, Credentials, Session
from coordinator.agents import server
from coordinator.agents.ca import CertificateAuthority
from coordinator.agents.hub import Hub
from coordinator.agents.server import CALLS_PER_AGENT, SESSIONS
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from support.identity import COORDINATOR_NAME, Identity, Kind
from support.retry import poll
from support.tls import key_pem, load_or_make_key, make_csr
from tests.unit.coordinator.fakes import FakeWork, credentials, dial, open_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub with a good agent, whose link must work at the end of every attack."""
    async with open_hub(tmp_path / "state") as hub:
        session = dial(hub, credentials(hub, tmp_path, "good"), FakeWork())
        link = await hub.agent("good", 30)
        yield hub
        assert await link.query("genesis", "/v1/chain/get_info", [1]) == [1]
        assert list(hub.links) == ["good"] or all(not other.connected for other in hub.links.values() if other != link)
        session.cancel()


def _foreign(hub: Hub, folder: Path, network: str, name: str, identity: Identity) -> Credentials:
    """Credentials of another CA that signs whatever it likes, but with the true CA as the one to believe."""
    key = load_or_make_key(folder / "rogue.key")
    certificate = CertificateAuthority(folder / "rogue", network).sign(make_csr(key, name), identity)
    return Credentials(key_pem(key), certificate, hub.authority.pem)


async def _refused(hub: Hub, shown: Credentials) -> SessionEnded:
    with pytest.raises(SessionEnded) as ended:
        await asyncio.wait_for(dial(hub, shown, FakeWork()), 30)
    return ended.value


async def test_without_a_certificate_nothing_is_answered(hub: Hub) -> None:
    """TLS with the right CA but no certificate of one's own: neither a session nor an artifact."""
    name = hub.artifacts.put(b"sealed")
    trust = grpc.ssl_channel_credentials(hub.authority.pem)
    async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=OPTIONS) as channel:
        stub = rpc.CoordinationStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Fetch(pb.FetchRequest(sha256=name), timeout=5).read()
        assert refused.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_a_rogue_ca_is_nobody(hub: Hub, tmp_path: Path) -> None:
    """A certificate for a good name, signed by another CA, is refused by TLS already."""
    shown = _foreign(hub, tmp_path, "net", "good", Identity("net", Kind.HOST, "good"))
    assert "no coordinator" in str(await _refused(hub, shown))


async def test_a_rogue_coordinator_is_not_believed(hub: Hub, tmp_path: Path) -> None:
    """An agent that dials a coordinator of another CA says nothing to it, and dials again."""
    async with open_hub(tmp_path / "rogue-state") as rogue:
        work = FakeWork()
        ended = await asyncio.wait_for(
            asyncio.gather(dial(rogue, credentials(hub, tmp_path, "other"), work), return_exceptions=True), 10
        )
        assert isinstance(ended[0], SessionEnded)
        assert not isinstance(ended[0], Refused)
        assert work.welcomes == []
        assert rogue.links == {}


async def test_an_agents_certificate_makes_no_coordinator(hub: Hub, tmp_path: Path) -> None:
    """Who has an agent's key and certificate cannot pose as the coordinator to other agents."""
    stolen = credentials(hub, tmp_path, "thief")
    server = grpc.aio.server()
    pair = [(stolen.key, stolen.certificate)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair, hub.authority.pem, True))
    await server.start()
    session = Session(f"127.0.0.1:{port}", credentials(hub, tmp_path, "victim"), FakeWork())
    with pytest.raises(SessionEnded, match="no coordinator"):
        await asyncio.wait_for(session.run(lambda _: None), 30)
    await server.stop(None)


async def test_plaintext_gets_nothing(hub: Hub) -> None:
    """Garbage and gRPC without TLS end without an answer."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{hub.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await rpc.CoordinationStub(channel).Fetch(pb.FetchRequest(sha256="0" * 64), timeout=5).read()
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n" * 100)
    assert b"HTTP/1.1 200" not in await asyncio.wait_for(reader.read(), 15)
    writer.close()


async def test_who_never_shakes_hands_is_dropped(hub: Hub) -> None:
    """A connection that sends nothing is closed within the handshake's time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    begun = time.monotonic()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await asyncio.wait_for(reader.readexactly(1 << 20), 20)
    assert time.monotonic() - begun < 15
    writer.close()


async def test_who_only_connects_leaves_files_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections beyond the limit are closed immediately; existing ones stay open."""
    monkeypatch.setattr(server, "FILES", 8)
    assert server.connections_at_once() == 4
    async with open_hub(tmp_path / "state") as hub, contextlib.AsyncExitStack() as stack:
        session = dial(hub, credentials(hub, tmp_path, "good"), FakeWork())
        link = await hub.agent("good", 30)
        ends = []
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            stack.callback(writer.close)
            ends.append(asyncio.create_task(reader.read()))
        _, held = await asyncio.wait(ends, timeout=1)
        assert 0 < len(held) <= 4
        assert await link.query("genesis", "/v1/chain/get_info", [1]) == [1]
        session.cancel()


def test_the_limit_of_open_files_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the system lets this process; its own files always have room beside the connections."""
    for (soft, hard), raised, connections in (
        ((1024, 524288), [(8192, 524288)], 7936),
        ((1024, 4096), [(4096, 4096)], 3840),
        ((1024, resource.RLIM_INFINITY), [(8192, resource.RLIM_INFINITY)], 7936),
        ((20000, 20000), [], 7936),
        ((256, 256), [], 128),
    ):
        calls: list[tuple[int, int]] = []
        monkeypatch.setattr(resource, "getrlimit", lambda _, found=(soft, hard): found)
        monkeypatch.setattr(resource, "setrlimit", lambda _, wanted, calls=calls: calls.append(wanted))
        assert server.connections_at_once() == connections
        assert calls == raised


async def test_an_unregistered_name_is_refused_for_good(hub: Hub, tmp_path: Path) -> None:
    """The true CA's signature is not enough: the register decides."""
    key = load_or_make_key(tmp_path / "key")
    certificate = hub.authority.sign(make_csr(key, "ghost"), Identity("net", Kind.HOST, "ghost"))
    ended = await _refused(hub, Credentials(key_pem(key), certificate, hub.authority.pem))
    assert isinstance(ended, Refused)
    assert "not enrolled" in str(ended)


async def test_a_kind_cannot_be_changed(hub: Hub, tmp_path: Path) -> None:
    """A party's certificate does not open the session of a host of the same name."""
    key = load_or_make_key(tmp_path / "key")
    certificate = hub.authority.sign(make_csr(key, "good"), Identity("net", Kind.PARTY, "good"))
    assert isinstance(await _refused(hub, Credentials(key_pem(key), certificate, hub.authority.pem)), Refused)


async def test_an_oversized_message_ends_only_its_own_stream(hub: Hub, tmp_path: Path) -> None:
    """More than 8 MiB are not taken in."""
    shown = credentials(hub, tmp_path, "big")
    trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
    options = [*(one for one in OPTIONS if "length" not in one[0]), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=options) as channel:
        call = rpc.CoordinationStub(channel).Session()
        await call.write(pb.FromAgent(hello=pb.Hello(version="1")))
        assert isinstance(await call.read(), pb.FromCoordinator)
        big = pb.FromAgent(answer=pb.Answer(id="x", body=bytes(9 << 20)))
        with contextlib.suppress(grpc.aio.AioRpcError):  # where the end comes while it is still being sent
            await call.write(big)
        assert await asyncio.wait_for(call.code(), 30) is not grpc.StatusCode.OK


async def test_a_stream_must_begin_with_hello(hub: Hub, tmp_path: Path) -> None:
    """Anything else ends it."""
    shown = credentials(hub, tmp_path, "rude")
    trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
    async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=OPTIONS) as channel:
        call = rpc.CoordinationStub(channel).Session()
        await call.write(pb.FromAgent(status=pb.Status()))
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_answers_to_what_was_not_asked_change_nothing(hub: Hub, tmp_path: Path) -> None:
    """Made-up results and answers are dropped; a second Hello ends the stream."""
    shown = credentials(hub, tmp_path, "liar")
    trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
    async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=OPTIONS) as channel:
        call = rpc.CoordinationStub(channel).Session()
        await call.write(pb.FromAgent(hello=pb.Hello(version="1")))
        await call.write(pb.FromAgent(result=pb.Result(task="made-up", ok=True)))
        await call.write(pb.FromAgent(answer=pb.Answer(id="made-up")))
        await call.write(pb.FromAgent(hello=pb.Hello(version="2")))
        assert isinstance(await call.read(), pb.FromCoordinator)
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_calls_without_reading_holds_nobody_up(hub: Hub, tmp_path: Path) -> None:
    """An agent's limit of open calls covers all its connections; other agents are not affected."""
    shown = credentials(hub, tmp_path, "greedy", Kind.PARTY)
    large = hub.artifacts.put(bytes(12 << 20))
    codes: list[grpc.StatusCode] = []
    options = [*OPTIONS, ("grpc.http2.bdp_probe", 0)]  # else its buffers may grow until they hold all that is sent
    async with contextlib.AsyncExitStack() as stack:
        calls = []
        for _ in range(3):
            trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
            channel = await stack.enter_async_context(
                grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=options)
            )
            calls += [rpc.CoordinationStub(channel).Fetch(pb.FetchRequest(sha256=large)) for _ in range(8)]
        for call in calls:
            try:
                await call.read()
            except grpc.aio.AioRpcError as error:
                codes.append(error.code())
        assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED] * (24 - CALLS_PER_AGENT)
        other = dial(hub, credentials(hub, tmp_path, "other"), FakeWork())
        await hub.agent("other", 30)
        other.cancel()
        for call in calls:
            call.cancel()

    async def free() -> bool:
        trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
        async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=OPTIONS) as channel:
            try:
                await rpc.CoordinationStub(channel).Fetch(pb.FetchRequest(sha256=large)).read()
            except grpc.aio.AioRpcError:
                return False
        return True

    await poll(free, what="the calls that ended to count no more", deadline=30)


async def test_who_comes_and_goes_without_end_is_slowed_down(hub: Hub, tmp_path: Path) -> None:
    """A party's sessions are counted: its coming is news to everybody who looks on."""
    shown = credentials(hub, tmp_path, "restless", Kind.PARTY)
    trust = grpc.ssl_channel_credentials(hub.authority.pem, shown.key, shown.certificate)
    async with grpc.aio.secure_channel(f"localhost:{hub.port}", trust, options=OPTIONS) as channel:
        stub, codes = rpc.CoordinationStub(channel), []
        for _ in range(SESSIONS + 1):
            call = stub.Session()
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await call.write(pb.FromAgent(hello=pb.Hello(version="1")))
                await call.read()
                await call.done_writing()
            codes.append(await call.code())
    assert codes == [grpc.StatusCode.OK] * SESSIONS + [grpc.StatusCode.RESOURCE_EXHAUSTED]


async def test_a_party_named_like_the_coordinator_is_not_it(hub: Hub, tmp_path: Path) -> None:
    """Agents require a subject alternative name that the CA gives nobody else; the common name does not count."""
    posing = credentials(hub, tmp_path, COORDINATOR_NAME, Kind.PARTY)
    server = grpc.aio.server()
    pair = [(posing.key, posing.certificate)]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair, hub.authority.pem, True))
    await server.start()
    work = FakeWork()
    with pytest.raises(SessionEnded, match="no coordinator"):
        await asyncio.wait_for(
            Session(f"127.0.0.1:{port}", credentials(hub, tmp_path, "victim"), work).run(lambda _: None), 10
        )
    assert work.welcomes == []
    await server.stop(None)
