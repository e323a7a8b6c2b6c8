"""Actions, transactions and their signatures.

Format: libraries/chain/include/eosio/chain/{action,transaction}.hpp of AntelopeIO/leap. Context-free actions,
transaction extensions and compression are not supported, and rejected when read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from antelope.codec import Reader, pack_bytes, pack_varuint32
from antelope.errors import AbiError, BadTransaction, FormatError
from antelope.keys import Signature, SigningKey
from antelope.names import int_to_name, pack_name

COMPRESS_FROM = 100_000
"""Bytes from which a transaction travels compressed: nodeos takes bodies of 2 MiB at most, and hexadecimal doubles."""

LARGEST = 1 << 20
"""The most bytes of such a transaction before compression (zlib_decompress of Leap's transaction.cpp)."""

_NO_CONTEXT_FREE_DATA = bytes(32)


@dataclass(frozen=True, slots=True)
class PermissionLevel:
    """A permission of an account, written actor@permission."""

    actor: str
    permission: str = "active"

    @classmethod
    def parse(cls, text: str) -> PermissionLevel:
        """From "actor@permission", or "actor" for its active permission. The names are checked when it is packed."""
        actor, _, permission = text.partition("@")
        return cls(actor, permission or "active")

    def pack(self) -> bytes:
        """16 bytes."""
        return pack_name(self.actor) + pack_name(self.permission)

    def to_json(self) -> dict[str, str]:
        """The JSON that nodeos writes."""
        return {"actor": self.actor, "permission": self.permission}

    def __str__(self) -> str:
        return f"{self.actor}@{self.permission}"


@dataclass(frozen=True, slots=True)
class Action:
    """A call of a contract's action. account: the contract's; data: packed."""

    account: str
    name: str
    authorization: tuple[PermissionLevel, ...]
    data: bytes

    def pack(self) -> bytes:
        """The packed form, as in a transaction."""
        levels = self.authorization
        packed = b"".join([level.pack() for level in levels])
        head = pack_name(self.account) + pack_name(self.name) + pack_varuint32(len(levels)) + packed
        return head + pack_bytes(self.data)

    @classmethod
    def read(cls, reader: Reader) -> Action:
        """From packed bytes."""
        account, name = int_to_name(reader.unsigned(8)), int_to_name(reader.unsigned(8))
        levels = tuple(
            PermissionLevel(int_to_name(reader.unsigned(8)), int_to_name(reader.unsigned(8)))
            for _ in range(reader.count())
        )
        return cls(account, name, levels, reader.bytes_())

    def to_json(self) -> dict[str, Any]:
        """As nodeos writes it, with the data in hexadecimal."""
        levels = [level.to_json() for level in self.authorization]
        return {"account": self.account, "name": self.name, "authorization": levels, "data": self.data.hex()}


@dataclass(frozen=True)
class Transaction:
    """expiration is in Unix seconds. max_net_usage_words (8 bytes each) and max_cpu_usage_ms: 0 means no limit."""

    expiration: int
    ref_block_num: int
    ref_block_prefix: int
    actions: tuple[Action, ...]
    max_net_usage_words: int = 0
    max_cpu_usage_ms: int = 0
    delay_sec: int = 0

    @staticmethod
    def tapos_from(block_id: str) -> tuple[int, int]:
        """The (ref_block_num, ref_block_prefix) that tie a transaction to this block's branch. Raises
        BadTransaction."""
        try:
            raw = bytes.fromhex(block_id)
        except ValueError as error:
            raise BadTransaction(f"block id {block_id[:80]!r} is not hexadecimal") from error
        if len(raw) != 32:
            raise BadTransaction(f"block id {block_id[:80]!r} is not 32 bytes")
        return int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[8:12], "little")

    @cached_property
    def packed(self) -> bytes:
        """The bytes that are hashed and signed. Raises BadTransaction for numbers out of range."""
        return self.packed_with(pack_actions(self.actions))

    def packed_with(self, actions: bytes) -> bytes:
        """The same transaction with these actions, packed as by `pack_actions`, instead of its own."""
        try:
            header = (
                self.expiration.to_bytes(4, "little")
                + self.ref_block_num.to_bytes(2, "little")
                + self.ref_block_prefix.to_bytes(4, "little")
                + pack_varuint32(self.max_net_usage_words)
                + self.max_cpu_usage_ms.to_bytes(1, "little")
                + pack_varuint32(self.delay_sec)
            )
        except (OverflowError, AbiError) as error:
            raise BadTransaction(f"a number in the transaction's header is out of range: {error}") from error
        return header + b"\x00" + actions + b"\x00"

    def pack(self) -> bytes:
        """The bytes that are hashed and signed."""
        return self.packed

    @property
    def id(self) -> str:
        """sha256 of the packed bytes, in hexadecimal."""
        return hashlib.sha256(self.packed).hexdigest()

    @classmethod
    def unpack(cls, data: bytes) -> Transaction:
        """From packed bytes. Raises BadTransaction."""
        reader = Reader(data)
        try:
            transaction = cls.read(reader)
            reader.finish()
        except AbiError as error:
            raise BadTransaction(f"not a packed transaction: {error}") from error
        return transaction

    @classmethod
    def read(cls, reader: Reader) -> Transaction:
        """From the next packed bytes. Raises BadTransaction, AbiError."""
        expiration, number, prefix = reader.unsigned(4), reader.unsigned(2), reader.unsigned(4)
        net, cpu, delay = reader.varuint32(), reader.unsigned(1), reader.varuint32()
        if reader.varuint32():
            raise BadTransaction("the transaction has context-free actions")
        actions = tuple(Action.read(reader) for _ in range(reader.count()))
        if reader.varuint32():
            raise BadTransaction("the transaction has extensions")
        return cls(expiration, number, prefix, actions, net, cpu, delay)

    def signing_digest(self, chain_id: str) -> bytes:
        """The digest (32 bytes) that signatures are over."""
        return signing_digest(chain_id, self.packed)

    def sign(self, chain_id: str, keys: Iterable[SigningKey]) -> SignedTransaction:
        """This transaction, signed by each key for the chain with this id (64 hexadecimal digits)."""
        return sign_packed(self.packed, chain_id, keys)

    def to_json(self) -> dict[str, Any]:
        """As nodeos writes it, with the actions' data in hexadecimal."""
        return {
            "expiration": datetime.fromtimestamp(self.expiration, UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "ref_block_num": self.ref_block_num,
            "ref_block_prefix": self.ref_block_prefix,
            "max_net_usage_words": self.max_net_usage_words,
            "max_cpu_usage_ms": self.max_cpu_usage_ms,
            "delay_sec": self.delay_sec,
            "context_free_actions": [],
            "actions": [action.to_json() for action in self.actions],
            "transaction_extensions": [],
        }


def signing_digest(chain_id: str, packed: bytes) -> bytes:
    """The digest that signatures of a packed transaction are over. Raises BadTransaction on a malformed chain id."""
    try:
        chain = bytes.fromhex(chain_id)
    except ValueError:
        chain = b""
    if len(chain) != 32:
        raise BadTransaction(f"chain id {chain_id[:80]!r} is not 64 hexadecimal digits")
    return hashlib.sha256(chain + packed + _NO_CONTEXT_FREE_DATA).digest()


def pack_actions(actions: Sequence[Action]) -> bytes:
    """Actions as packed in a transaction: their number first."""
    return pack_varuint32(len(actions)) + b"".join([action.pack() for action in actions])


def sign_packed(packed: bytes, chain_id: str, keys: Iterable[SigningKey]) -> SignedTransaction:
    """A packed transaction, signed by each key for the chain with this id (64 hexadecimal digits)."""
    digest = signing_digest(chain_id, packed)
    return SignedTransaction(tuple(key.sign(digest) for key in keys), packed)


@dataclass(frozen=True)
class SignedTransaction:
    """A packed transaction with its signatures: the bytes that are recorded and pushed, always the same."""

    signatures: tuple[Signature, ...]
    packed: bytes

    @cached_property
    def id(self) -> str:
        """sha256 of the packed bytes, in hexadecimal."""
        return hashlib.sha256(self.packed).hexdigest()

    @cached_property
    def transaction(self) -> Transaction:
        """What was signed. Raises BadTransaction."""
        return Transaction.unpack(self.packed)

    def pack(self) -> bytes:
        """A packed_transaction, as in blocks and p2p messages: uncompressed, without context-free data."""
        signatures = b"".join(signature.pack() for signature in self.signatures)
        return pack_varuint32(len(self.signatures)) + signatures + b"\x00\x00" + pack_bytes(self.packed)

    @classmethod
    def unpack(cls, data: bytes) -> SignedTransaction:
        """From the bytes that pack makes. Raises BadTransaction."""
        reader = Reader(data)
        try:
            signatures = tuple(Signature.read(reader) for _ in range(reader.count()))
            if reader.take(2) != b"\x00\x00":
                raise BadTransaction("the transaction is compressed or has context-free data")
            packed = reader.bytes_()
            reader.finish()
        except AbiError as error:
            raise BadTransaction(f"not a packed_transaction: {error}") from error
        return cls(signatures, packed)

    def to_json(self) -> dict[str, Any]:
        """A packed_transaction, as send_transaction and push_transaction take it."""
        return {
            "signatures": [str(signature) for signature in self.signatures],
            "compression": "none",
            "packed_context_free_data": "",
            "packed_trx": self.packed.hex(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SignedTransaction:
        """From the form of to_json. Raises BadTransaction, or BadKey on a malformed signature."""
        try:
            if value.get("compression", "none") not in ("none", 0) or value.get("packed_context_free_data"):
                raise BadTransaction("the transaction is compressed or has context-free data")
            signatures = tuple(Signature.parse(text) for text in value["signatures"])
            return cls(signatures, bytes.fromhex(value["packed_trx"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise BadTransaction(f"not a packed_transaction: {error!r}") from error
        except FormatError:
            raise
        except ValueError as error:
            raise BadTransaction(f"not a packed_transaction: {error}") from error
