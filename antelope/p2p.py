"""The messages of nodeos' p2p protocol that are needed to send transactions to a node.

Format: plugins/net_plugin/include/eosio/net_plugin/protocol.hpp of AntelopeIO/leap: a length of 4 bytes, a kind, and
the packed message. Version 7 of the protocol is spoken by all of Leap and understood by Spring.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from antelope.answers import BRINGER, Info
from antelope.codec import Reader, pack_string, pack_varuint32
from antelope.errors import AbiError
from antelope.transaction import SignedTransaction

VERSION = 0x04B5 + 7
"""net_version_base of net_plugin.cpp, and the version proper."""
LONGEST = 8 << 20
"""Maximum bytes of a message that is read. A node that only receives transactions sends none of nearly that size."""
_LENGTH = struct.Struct("<I")
_TIMES = struct.Struct("<4q")
_NO_KEY, _NO_SIGNATURE = bytes(34), bytes(66)


class MessageKind(IntEnum):
    """The kind of a message: its index in net_plugin's `net_message`."""

    HANDSHAKE = 0
    GO_AWAY = 2
    TIME = 3
    TRANSACTION = 8


_GO_AWAY = (
    "for no reason",
    "we are connected to ourselves",
    "this connection exists already",
    "it runs another chain",
    "it speaks another version of the protocol",
    "its blocks and ours are of two forks",
    "a block is not linked to its chain",
    "it considers a transaction invalid",
    "something was not valid",
    "the connection was idle",
    "of an internal error",
    "authentication failed: its allowed-connection names other peers",
)
"""The meaning of `go_away_reason`, by number."""


@dataclass(frozen=True)
class Hello:
    """The content of a peer's handshake."""

    chain_id: str
    """Hex."""
    agent: str


def frame(kind: MessageKind, body: bytes) -> bytes:
    """A message as it is sent."""
    packed = pack_varuint32(kind) + body
    return _LENGTH.pack(len(packed)) + packed


def handshake(info: Info, node_id: bytes, nanoseconds: int, agent: str) -> bytes:
    """Our handshake: a client that sends transactions and wants no blocks.

    info: the node's own, whose head we claim, so that neither side has to sync. node_id: 32 random bytes.
    nanoseconds: Unix time.
    """
    body = [
        VERSION.to_bytes(2, "little"),
        bytes.fromhex(info.chain_id),
        node_id,
        _NO_KEY,
        nanoseconds.to_bytes(8, "little", signed=True),
        bytes(32),
        _NO_SIGNATURE,
        # Its suffix says that no blocks are wanted. Nobody dials this address.
        pack_string(f"{BRINGER} - {node_id.hex()[:7]}"),
        _LENGTH.pack(info.last_irreversible_block_num),
        bytes.fromhex(info.last_irreversible_block_id),
        _LENGTH.pack(info.head_block_num),
        bytes.fromhex(info.head_block_id),
        pack_string("linux"),
        pack_string(agent),
        (1).to_bytes(2, "little"),
    ]
    return frame(MessageKind.HANDSHAKE, b"".join(body))


def read_hello(body: bytes) -> Hello:
    """From a handshake message without its kind. Raises AbiError."""
    reader = Reader(body)
    reader.take(2)
    chain_id = reader.take(32).hex()
    reader.take(32 + 34 + 8 + 32 + 66)
    reader.string()
    reader.take(2 * (4 + 32))
    reader.string()
    return Hello(chain_id, reader.string())


def transaction(signed: SignedTransaction) -> bytes:
    """The message that carries a transaction."""
    return frame(MessageKind.TRANSACTION, signed.pack())


def time_answer(body: bytes, nanoseconds: int) -> bytes | None:
    """The answer to a time message, which shows the peer that we are alive; None if no answer is due.

    nanoseconds: Unix time. Raises AbiError.
    """
    if len(body) != _TIMES.size:
        raise AbiError(f"a time message has {_TIMES.size} bytes, not {len(body)}")
    origin, _, transmitted, _ = _TIMES.unpack(body)
    if origin:
        return None
    return frame(MessageKind.TIME, _TIMES.pack(transmitted, nanoseconds, nanoseconds, 0))


def go_away_reason(body: bytes) -> str:
    """Why the node ends the connection, in words. Raises AbiError."""
    number = Reader(body).unsigned(4)
    return _GO_AWAY[number] if number < len(_GO_AWAY) else f"reason {number}"
