"""The coordinator's gRPC server: admits agents, limits what they send, and passes messages to the hub."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import grpc
from cryptography import x509
from grpc._cython import cygrpc  # type: ignore[attr-defined] # a C extension without types

from coordinator.agents.connection import Connection
from coordinator.agents.throttle import Throttle
from protos import coordination_pb2 as pb
from protos import coordination_pb2_grpc as rpc
from protos.refusals import Refusal, metadata
from support.endpoint import Endpoint
from support.identity import Identity, Kind, TlsError
from support.tasks import end
from support.tls import fingerprint, identity_of, load_certificate

log = logging.getLogger(__name__)


class Unprinted:
    """Replaces `traceback` in grpc, which logs an error in a call and also prints its traceback to stderr."""

    def print_exc(self) -> None:
        """Prints nothing. The log has the error, and a call that was under way when coord ended is not a fault."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)


cygrpc.traceback = Unprinted()

MESSAGE_LIMIT = 8 << 20
"""Maximum size of a message, in bytes."""
HELLO_SECONDS = 10.0
"""Seconds within which a new stream must send its Hello."""
LAST_WRITE_SECONDS = 1.0
"""Seconds to finish sending a message, in either direction, when its stream ends."""
PARTY_MESSAGES = 50
"""At most this many messages of one party are read per second; the rest wait."""
STREAMS_PER_AGENT = 16
CALLS = 4096
"""Maximum number of concurrent calls of all agents together."""
CALLS_PER_AGENT = 16
"""Maximum number of concurrent calls of one agent, over all its connections."""
SESSIONS, SESSIONS_SECONDS = 60, 60.0
"""At most SESSIONS sessions of one party may begin per SESSIONS_SECONDS; an agent dials at most every 2 s."""
CSR_LIMIT = 8192
"""Maximum size of a certificate signing request, in bytes."""
CHUNK = 1 << 20
FILES = 8192
"""Limit of open files that is set if the system permits it: the usual 1,024 are too few for many agents."""
OWN_FILES = 256
"""Of these, files not used for connections: the journal, artifacts, SSH, other terminals."""

OPTIONS: list[tuple[str, int]] = [
    ("grpc.so_reuseport", 0),  # a second coordinator must fail to listen, not share the port
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
    ("grpc.max_concurrent_streams", STREAMS_PER_AGENT),
    ("grpc.max_metadata_size", 16 << 10),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 30_000),  # connections without any call; a connected agent always has its session
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 2_000),
]

Context = grpc.aio.ServicerContext[Any, Any]


class JoinRefused(Exception):
    """No certificate is signed: the reason, in one line."""

    def __init__(self, message: str, later: bool = False) -> None:
        """later: the same request may succeed if retried."""
        super().__init__(message)
        self.later = later


class AgentHandler(Protocol):
    """Handles the calls of admitted agents: the hub."""

    def file_of(self, sha256: str) -> Path:
        """The file of an artifact, verified here, or of a snapshot, which the receiver verifies. Raises KeyError,
        ValueError.
        """

    def refusal(self, identity: Identity, fingerprint: str) -> Refusal | None:
        """Why the holder of this certificate is refused; None if it is accepted."""

    def joined(self, connection: Connection, hello: pb.Hello) -> None:
        """An agent opened a stream with its Hello."""

    def received(self, connection: Connection, message: pb.FromAgent) -> str:
        """An agent sent another message. Returns what is wrong with it; empty if nothing is."""

    def left(self, connection: Connection) -> None:
        """An agent's stream ended."""

    def renew(self, identity: Identity, csr: bytes) -> bytes:
        """The certificate (PEM) that replaces the agent's current one. Raises JoinRefused."""

    def redeem(self, identity: Identity, fingerprint: str, request: pb.JoinRequest) -> bytes:
        """The certificate (PEM) for a party that connected with its invitation's. Raises JoinRefused."""


class _Servicer(rpc.CoordinationServicer):
    def __init__(self, handler: AgentHandler) -> None:
        self._handler = handler
        self._calls: Counter[Identity] = Counter()
        self._sessions = Throttle(SESSIONS, SESSIONS_SECONDS)

    async def Session(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]  # noqa: N802
        connection = Connection(*await self._admit(context, streams=True))
        party = connection.identity.kind is Kind.PARTY
        if party and not self._sessions.allows(connection.identity.name, time.monotonic()):
            reason = f"more than {SESSIONS} sessions in {SESSIONS_SECONDS:g} s"
            await _abort_stream(context, grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                first = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no Hello received")
        if first is grpc.aio.EOF or first.WhichOneof("body") != "hello":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first message must be a Hello")
        self._handler.joined(connection, first.hello)
        pumps = (
            asyncio.create_task(self._read(connection, context)),
            asyncio.create_task(_write(connection, context)),
        )
        for pump in pumps:
            pump.add_done_callback(partial(_ended, connection))
        try:
            ending = await connection.closed
            # A status cannot be sent while a message is being sent: the writer finishes that first.
            await asyncio.wait(pumps[1:], timeout=LAST_WRITE_SECONDS)
        finally:
            await end(*pumps)
            self._handler.left(connection)
        if ending.code is not grpc.StatusCode.OK:
            await context.abort(ending.code, ending.reason, metadata(ending.kind))

    async def _read(self, connection: Connection, context: Context) -> None:
        began, count = time.monotonic(), 0
        while (message := await context.read()) is not grpc.aio.EOF:
            count += 1
            if connection.identity.kind is Kind.PARTY and count >= PARTY_MESSAGES:
                # A faster party is slowed down by its own connection, and delays nobody else.
                await asyncio.sleep(max(0.0, began + 1.0 - time.monotonic()))
                began, count = time.monotonic(), 0
            wrong = self._handler.received(connection, message)
            if wrong:
                connection.close(grpc.StatusCode.INVALID_ARGUMENT, wrong)
                return
        connection.close(grpc.StatusCode.OK, "")

    async def Fetch(self, request: pb.FetchRequest, context: Any) -> AsyncIterator[pb.Chunk]:  # noqa: N802
        await self._admit(context)
        try:
            path = await asyncio.to_thread(self._handler.file_of, request.sha256)
            with path.open("rb") as file:  # stays readable if it is removed meanwhile
                file.seek(request.offset)
                while data := await asyncio.to_thread(file.read, CHUNK):
                    yield pb.Chunk(data=data)
        except (KeyError, ValueError, FileNotFoundError):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no artifact {request.sha256[:64]!r}")

    async def Renew(self, request: pb.JoinRequest, context: Any) -> pb.JoinReply:  # noqa: N802
        identity, _ = await self._admit(context)
        return await _signed(context, lambda: self._handler.renew(identity, request.csr))

    async def Join(self, request: pb.JoinRequest, context: Any) -> pb.JoinReply:  # noqa: N802
        identity, print_ = await self._admit(context, joining=True)
        return await _signed(context, lambda: self._handler.redeem(identity, print_, request))

    async def _admit(self, context: Any, *, joining: bool = False, streams: bool = False) -> tuple[Identity, str]:
        """The caller's identity and fingerprint, from the certificate that TLS verified. Ends the call if the register
        does not accept it, or if it is a Join without an invitation. streams: the caller streams messages, and none
        has been read yet.
        """
        abort = partial(_abort_stream, context) if streams else context.abort
        refusal: Refusal | None
        try:
            (pem,) = context.auth_context()["x509_pem_cert"]
            certificate: x509.Certificate = load_certificate(pem)
            identity = identity_of(certificate)
            print_ = fingerprint(certificate)
            refusal = _not_invited(identity) if joining else self._handler.refusal(identity, print_)
        except (KeyError, ValueError, TlsError):
            refusal = Refusal("a certificate of this network is required")
        if refusal:
            await abort(grpc.StatusCode.PERMISSION_DENIED, refusal.reason, metadata(refusal.kind))
        if self._calls[identity] >= CALLS_PER_AGENT:
            reason = f"more than {CALLS_PER_AGENT} concurrent calls"
            await abort(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        self._calls[identity] += 1
        context.add_done_callback(lambda context: self._ended(identity))
        return identity, print_

    def _ended(self, identity: Identity) -> None:
        self._calls[identity] -= 1
        if not self._calls[identity]:
            del self._calls[identity]


def _ended(connection: Connection, pump: asyncio.Task[None]) -> None:
    """A pump ended, and its stream ends with it. A cause other than the connection's own end is logged."""
    error = None if pump.cancelled() else pump.exception()
    if error is None or isinstance(error, grpc.RpcError | ConnectionError | asyncio.CancelledError):
        connection.close(grpc.StatusCode.CANCELLED, "the stream broke")
        return
    log.error("a fault of the coordinator ended the stream of %s", connection.identity.name, exc_info=error)
    connection.close(grpc.StatusCode.INTERNAL, f"a fault of the coordinator ({type(error).__name__}): see its log")


async def _abort_stream(
    context: Context, code: grpc.StatusCode, reason: str, trailing: tuple[tuple[str, str], ...] = ()
) -> None:
    """Ends a stream of which nothing was read. It reads the first message, because a caller that is still sending
    when the stream ends gets an internal error instead of the reason.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LAST_WRITE_SECONDS):
            await context.read()
    await context.abort(code, reason, trailing)


async def _signed(context: Context, sign: Callable[[], bytes]) -> pb.JoinReply:
    """Answers with the certificate, or ends the call with the reason for the refusal."""
    try:
        return pb.JoinReply(certificate=sign())
    except JoinRefused as refused:
        code = grpc.StatusCode.RESOURCE_EXHAUSTED if refused.later else grpc.StatusCode.PERMISSION_DENIED
        await context.abort(code, str(refused))
        raise  # abort has raised already


def _not_invited(identity: Identity) -> Refusal | None:
    return None if identity.kind is Kind.INVITE else Refusal(f"{identity.name} has joined already")


async def _write(connection: Connection, context: Context) -> None:
    while (message := await connection.next()) is not None:
        await context.write(message)


def connections_at_once() -> int:
    """Maximum number of open connections, authenticated or not, so that they leave enough files for everything else.

    Also raises the process's limit of open files as far as the system permits.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    bounds = [FILES] if hard == resource.RLIM_INFINITY else [FILES, hard]
    if soft != resource.RLIM_INFINITY and soft < min(bounds):
        soft = min(bounds)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = FILES if soft == resource.RLIM_INFINITY else min(soft, FILES)
    return max(most - OWN_FILES, most // 2)


def make_server(
    handler: AgentHandler, listen: Endpoint, key: bytes, certificate: bytes, ca: bytes
) -> tuple[grpc.aio.Server, int]:
    """A server, not started yet, and its port. Key and certificates are PEM. Raises OSError if it cannot listen."""
    options = [*OPTIONS, ("grpc.max_allowed_incoming_connections", connections_at_once())]
    server = grpc.aio.server(options=options, maximum_concurrent_rpcs=CALLS)
    rpc.add_CoordinationServicer_to_server(_Servicer(handler), server)
    credentials = grpc.ssl_server_credentials([(key, certificate)], root_certificates=ca, require_client_auth=True)
    try:
        port = server.add_secure_port(str(listen), credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {listen}: is the port in use, or the address not this machine's?") from error
    return server, port
