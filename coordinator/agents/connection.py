"""One open stream of an agent, as the server and the hub share it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

import grpc

from protos import coordination_pb2 as pb
from protos.refusals import RefusalKind
from support.identity import Identity


@dataclass(frozen=True)
class StreamEnd:
    """How a stream ends."""

    code: grpc.StatusCode
    reason: str
    kind: RefusalKind = RefusalKind.OTHER


class Connection:
    """One open stream of an agent: its queue of messages, and why it ends."""

    def __init__(self, identity: Identity, fingerprint: str) -> None:
        self.identity = identity
        self.fingerprint = fingerprint
        """Fingerprint of the certificate that the agent connected with."""
        self.nonce = secrets.token_bytes(32)
        """Random, for this stream. Proofs of possession cover it, so that they cannot be replayed."""
        self.chain_id = ""
        """The chain id that the agent was sent, hex; empty if there was none yet. Proofs of possession cover it."""
        self._outbox: asyncio.Queue[pb.FromCoordinator | None] = asyncio.Queue()
        self.closed: asyncio.Future[StreamEnd] = asyncio.get_running_loop().create_future()

    def send(self, message: pb.FromCoordinator) -> None:
        """Queues a message; messages are sent in order."""
        self._outbox.put_nowait(message)

    async def next(self) -> pb.FromCoordinator | None:
        """The next message to send; None once the stream is to end, even if messages are still queued."""
        message = await self._outbox.get()
        return None if self.closed.done() else message

    def close(self, code: grpc.StatusCode, reason: str, kind: RefusalKind = RefusalKind.OTHER) -> None:
        """Ends the stream with that status. Only the first call counts."""
        if not self.closed.done():
            self.closed.set_result(StreamEnd(code, reason, kind))
            self._outbox.put_nowait(None)
