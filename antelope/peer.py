"""A p2p connection that sends transactions to a node: fast, but without answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable

from antelope import p2p
from antelope.answers import Info
from antelope.errors import AbiError, PeerLost
from antelope.transaction import SignedTransaction

HELLO_SECONDS = 5.0
"""Seconds from dialling to the node's own handshake."""
SEND_SECONDS = 10.0
"""Seconds that a node may leave sent bytes unread."""


class Peer:
    """One connection. A node silently drops what it rejects, so only blocks show whether a transaction took effect."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `dial`."""
        self._reader = reader
        self._writer = writer
        self._listening: asyncio.Task[None] | None = None
        self._why = ""

    @classmethod
    async def dial(cls, host: str, port: int, info: Info, agent: str) -> Peer:
        """Connects to a node of that chain. info: the node's own. Raises PeerLost when it does not accept us."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                peer = cls(*await asyncio.open_connection(host, port))
                try:
                    await peer._greet(info, agent)
                except BaseException:
                    peer._writer.close()
                    raise
        except TimeoutError as error:
            raise PeerLost(f"{host}:{port} gave no handshake within {HELLO_SECONDS:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise PeerLost(f"{host}:{port} cannot be reached: {error}") from error
        peer._listening = asyncio.create_task(peer._listen())
        return peer

    @property
    def lost(self) -> str:
        """Why the connection ended; empty if it has not."""
        return self._why

    async def send(self, transactions: Iterable[SignedTransaction]) -> None:
        """Sends them, in order; waits while the node does not read. Raises PeerLost."""
        if self._why:
            raise PeerLost(self._why)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                self._writer.write(b"".join([p2p.transaction(signed) for signed in transactions]))
                await self._writer.drain()
        except TimeoutError as error:
            self._why = self._why or f"the node has read nothing for {SEND_SECONDS:g} s"
            raise PeerLost(self._why) from error
        except OSError as error:
            self._why = self._why or f"the node ended the connection: {error}"
            raise PeerLost(self._why) from error

    async def close(self) -> None:
        """Closes the connection immediately. Bytes that the node has not read are lost."""
        self._why = self._why or "closed"
        if self._listening:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.transport.abort()

    async def _greet(self, info: Info, agent: str) -> None:
        self._writer.write(p2p.handshake(info, os.urandom(32), time.time_ns(), agent))
        while True:
            kind, body = await self._next()
            if kind == p2p.MessageKind.GO_AWAY:
                raise PeerLost(f"the node takes no such peer: {p2p.go_away_reason(body)}")
            if kind == p2p.MessageKind.HANDSHAKE:
                try:
                    hello = p2p.read_hello(body)
                except AbiError as error:
                    raise PeerLost(f"the node's handshake is malformed: {error}") from error
                if hello.chain_id != info.chain_id:
                    raise PeerLost(f"the node runs another chain ({hello.chain_id[:16]}…)")
                return

    async def _next(self) -> tuple[int, bytes]:
        """The next message: its kind, and the rest. Raises IncompleteReadError, OSError, PeerLost."""
        length = int.from_bytes(await self._reader.readexactly(4), "little")
        if not 0 < length <= p2p.LONGEST:
            raise PeerLost(f"the node announced a message of {length} bytes")
        message = await self._reader.readexactly(length)
        return message[0], message[1:]

    async def _listen(self) -> None:
        """Answers the node's time messages, which check that we are alive, until the connection ends."""
        try:
            while True:
                kind, body = await self._next()
                if kind == p2p.MessageKind.GO_AWAY:
                    self._why = f"the node ended the connection: {p2p.go_away_reason(body)}"
                elif kind == p2p.MessageKind.TIME and (answer := p2p.time_answer(body, time.time_ns())):
                    self._writer.write(answer)
        except (OSError, asyncio.IncompleteReadError, PeerLost, AbiError) as error:
            self._why = self._why or f"the node ended the connection: {error}"
            self._writer.close()
