"""p2p messages have the form that nodeos accepts, and its messages cannot harm the reader."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from antelope import p2p
from antelope.answers import Info
from antelope.errors import AbiError, PeerLost
from antelope.keys import PrivateKey
from antelope.peer import Peer
from antelope.transaction import Action, PermissionLevel, SignedTransaction, Transaction
from support.retry import poll

CHAIN, OTHER = "ab" * 32, "cd" * 32
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
INFO = Info(CHAIN, 9, "00000009" + "11" * 28, _NOW, "eosio", 7, "00000007" + "22" * 28, _NOW, "v4")
SIGNED = Transaction(1_800_000_000, 7, 8, (Action("eosio", "act", (PermissionLevel("eosio"),), b"x"),)).sign(
    CHAIN, [PrivateKey(bytes(31) + b"\x01")]
)

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


def _hello(chain_id: str) -> bytes:
    return p2p.handshake(INFO.__class__(chain_id, 9, INFO.head_block_id, _NOW, "e", 7, INFO.head_block_id, _NOW, ""),
                         bytes(32), 1, "node")  # fmt: skip


@asynccontextmanager
async def _node(*says: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A listener that says this at once, and keeps the messages that it hears: its port, and they."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for one in says:
            writer.write(one)
        while True:
            try:
                length = struct.unpack("<I", await reader.readexactly(4))[0]
                heard.append(await reader.readexactly(length))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


async def _until(true: Callable[[], object]) -> None:
    async def look() -> bool:
        return bool(true())

    await poll(look, what="the peer to get there", deadline=10, every=0.005)


def test_a_handshake_is_read_as_it_was_made() -> None:
    """Length, kind and fields are at their places, and a truncated handshake is refused."""
    message = p2p.handshake(INFO, bytes(32), 1, "bootcoord")
    assert struct.unpack("<I", message[:4])[0] == len(message) - 4
    assert message[4] == p2p.MessageKind.HANDSHAKE
    assert p2p.read_hello(message[5:]) == p2p.Hello(CHAIN, "bootcoord")
    with pytest.raises(AbiError):
        p2p.read_hello(message[5:60])


def test_a_packed_transaction_is_read_back() -> None:
    """The packed form on the wire and in the journal holds the whole transaction."""
    assert SignedTransaction.unpack(SIGNED.pack()) == SIGNED
    assert p2p.transaction(SIGNED)[5:] == SIGNED.pack()


def test_only_a_question_about_the_time_is_answered() -> None:
    """An answer is not answered, since that would never end."""
    answer = p2p.time_answer(struct.pack("<4q", 0, 0, 5, 0), 9)
    assert answer is not None
    assert struct.unpack("<4q", answer[5:]) == (5, 9, 9, 0)
    assert p2p.time_answer(answer[5:], 9) is None
    with pytest.raises(AbiError):
        p2p.time_answer(b"short", 9)


async def test_transactions_arrive_and_questions_are_answered() -> None:
    """After the node's handshake; a question whether we live is answered beside it."""
    question = p2p.frame(p2p.MessageKind.TIME, struct.pack("<4q", 0, 0, 5, 0))
    async with _node(_hello(CHAIN), question) as (port, heard):
        peer = await Peer.dial("127.0.0.1", port, INFO, "bootcoord")
        await peer.send([SIGNED, SIGNED])
        await _until(lambda: len(heard) == 4)
        await peer.close()
    kinds = [message[0] for message in heard]
    assert kinds[0] == p2p.MessageKind.HANDSHAKE
    assert sorted(kinds[1:]) == [p2p.MessageKind.TIME, p2p.MessageKind.TRANSACTION, p2p.MessageKind.TRANSACTION]


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (_hello(OTHER), "another chain"),
        (p2p.frame(p2p.MessageKind.GO_AWAY, struct.pack("<I", 11) + bytes(32)), "authentication failed"),
        (p2p.frame(p2p.MessageKind.GO_AWAY, struct.pack("<I", 99) + bytes(32)), "reason 99"),
        (p2p.frame(p2p.MessageKind.HANDSHAKE, b"short"), "malformed"),
        (struct.pack("<I", 1 << 31), "message of 2147483648 bytes"),
        (struct.pack("<I", 0), "message of 0 bytes"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "announced a message"),
    ],
)
async def test_a_node_of_another_chain_is_left(says: bytes, why: str) -> None:
    """Another chain's node, one that wants no peers, or something else that listens there."""
    async with _node(says) as (port, _):
        with pytest.raises(PeerLost, match=why):
            await Peer.dial("127.0.0.1", port, INFO, "bootcoord")


async def test_an_unused_port_is_reported() -> None:
    """A port that nobody listens on."""
    async with _node() as (port, _):
        pass
    with pytest.raises(PeerLost, match="cannot be reached"):
        await Peer.dial("127.0.0.1", port, INFO, "bootcoord")


async def test_a_node_that_does_not_read_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sending nor closing waits for ever for a node that was stopped."""
    monkeypatch.setattr("antelope.peer.SEND_SECONDS", 0.2)

    kept: list[asyncio.StreamWriter] = []  # from Python 3.13 on a connection ends with its last reference

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.append(writer)
        writer.write(_hello(CHAIN))
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a socket's transport has it

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    peer = await Peer.dial("127.0.0.1", server.sockets[0].getsockname()[1], INFO, "bootcoord")
    large = SignedTransaction(SIGNED.signatures, bytes(1 << 20))
    with pytest.raises(PeerLost, match="read nothing"):
        await peer.send([large] * 64)
    assert peer.lost
    await asyncio.wait_for(peer.close(), 5)
    server.close()


async def test_a_connection_that_ends_is_lost() -> None:
    """After the connection ends, the reason is known and nothing more is sent."""
    go_away = p2p.frame(p2p.MessageKind.GO_AWAY, struct.pack("<I", 9) + bytes(32))
    async with _node(_hello(CHAIN), go_away, struct.pack("<I", 1 << 30)) as (port, _):
        peer = await Peer.dial("127.0.0.1", port, INFO, "bootcoord")
        await _until(lambda: peer.lost)
        with pytest.raises(PeerLost, match="idle"):
            await peer.send([SIGNED])
        await peer.close()
