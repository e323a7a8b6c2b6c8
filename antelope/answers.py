"""Answers of nodeos' API as typed values; `read_answer` raises BadAnswer where the JSON lacks something."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from antelope.asset import Asset
from antelope.authority import Authority
from antelope.errors import BadAnswer, FormatError, brief
from antelope.keys import PublicKey, Signature

Value = TypeVar("Value")


def read_answer(what: str, read: Callable[[Any], Value], answer: Any) -> Value:
    """Returns read(answer). Raises BadAnswer, which says what was asked, if the answer lacks something."""
    try:
        return read(answer)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise BadAnswer(200, None, "", f"the node's answer to {what} is malformed: {error}") from error
        raise BadAnswer(200, None, "", f"the node's answer to {what} is malformed: {brief(error, 200)}") from error


def parse_time(text: str) -> datetime:
    """A UTC time as nodeos writes it, without a zone."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Info:
    """get_info: the node's chain, its head and its last irreversible block."""

    chain_id: str
    head_block_num: int
    head_block_id: str
    head_block_time: datetime
    head_block_producer: str
    last_irreversible_block_num: int
    last_irreversible_block_id: str
    last_irreversible_block_time: datetime | None
    server_version_string: str

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Info:
        """From get_info's answer."""
        lib_time = value.get("last_irreversible_block_time")
        return cls(
            chain_id=value["chain_id"],
            head_block_num=int(value["head_block_num"]),
            head_block_id=value["head_block_id"],
            head_block_time=parse_time(value["head_block_time"]),
            head_block_producer=value["head_block_producer"],
            last_irreversible_block_num=int(value["last_irreversible_block_num"]),
            last_irreversible_block_id=value["last_irreversible_block_id"],
            last_irreversible_block_time=parse_time(lib_time) if lib_time else None,
            server_version_string=str(value.get("server_version_string", "")),
        )


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of an account: its parent ("" for owner) and its authority."""

    parent: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class Account:
    """get_account. RAM in bytes, net_weight and cpu_weight in units of the core token; -1 is unlimited.

    raw is the whole answer, which includes the system contract's own rows (total_resources, voter_info, …).
    """

    name: str
    privileged: bool
    ram_quota: int
    ram_usage: int
    net_weight: int
    cpu_weight: int
    core_liquid_balance: Asset | None
    permissions: Mapping[str, Permission]
    raw: Mapping[str, Any]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Account:
        """From get_account's answer."""
        balance = value.get("core_liquid_balance")
        permissions = {
            one["perm_name"]: Permission(one["parent"], Authority.from_json(one["required_auth"]))
            for one in value["permissions"]
        }
        return cls(
            name=value["account_name"],
            privileged=bool(value["privileged"]),
            ram_quota=int(value["ram_quota"]),
            ram_usage=int(value["ram_usage"]),
            net_weight=int(value["net_weight"]),
            cpu_weight=int(value["cpu_weight"]),
            core_liquid_balance=Asset.parse(balance) if balance else None,
            permissions=permissions,
            raw=value,
        )


@dataclass(frozen=True, slots=True)
class RawAbi:
    """get_raw_abi: hashes in hexadecimal, 64 zeros where nothing is set; abi is the packed ABI."""

    code_hash: str
    abi_hash: str
    abi: bytes


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """get_block_info: a block without its transactions."""

    num: int
    id: str
    previous: str
    producer: str
    timestamp: datetime
    schedule_version: int = 0
    """The version of the schedule by which it was signed."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BlockInfo:
        """From get_block_info's answer."""
        return cls(
            int(value["block_num"]), value["id"], value["previous"], value["producer"],
            parse_time(value["timestamp"]), int(value.get("schedule_version", 0)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScheduledProducer:
    """A producer in a schedule and the keys that may sign its blocks."""

    name: str
    keys: tuple[PublicKey, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ScheduledProducer:
        """From an entry of a schedule, which has an authority or, before WTMSIG_BLOCK_SIGNATURES, one key."""
        if "authority" in value:
            keys = tuple(PublicKey.parse(one["key"]) for one in value["authority"][1]["keys"])
        else:
            keys = (PublicKey.parse(value["block_signing_key"]),)
        return cls(value["producer_name"], keys)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The producers that sign blocks, in order; version counts a chain's schedules."""

    version: int
    producers: tuple[ScheduledProducer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The producers' accounts."""
        return tuple(producer.name for producer in self.producers)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Schedule | None:
        """From a part of get_producer_schedule's answer; null is None."""
        if value is None:
            return None
        return cls(int(value["version"]), tuple(ScheduledProducer.from_json(one) for one in value["producers"]))


@dataclass(frozen=True, slots=True)
class Schedules:
    """get_producer_schedule: active signs now; pending waits to become irreversible; proposed comes before that."""

    active: Schedule
    pending: Schedule | None
    proposed: Schedule | None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Schedules:
        """From get_producer_schedule's answer."""
        active = Schedule.from_json(value["active"])
        if active is None:
            raise KeyError("active")
        return cls(active, Schedule.from_json(value.get("pending")), Schedule.from_json(value.get("proposed")))


@dataclass(frozen=True, slots=True)
class PeerLink:
    """An entry of net/connections. peer is "" for inbound links; p2p_address and head_num are what the peer last
    reported.

    key is the one that the peer proved to hold in its handshake (its `peer-private-key`); None without a proof. node is
    the peer's id of its own process (node_id, hex): two nodes that dial each other simultaneously have two links.
    """

    peer: str
    connecting: bool
    syncing: bool
    handshaken: bool
    p2p_address: str
    head_num: int
    key: PublicKey | None = None
    node: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PeerLink:
        """From an entry of net/connections; an empty handshake means that the peer has not answered yet."""
        handshake = value.get("last_handshake") or {}
        return cls(
            peer=str(value.get("peer", "")),
            connecting=bool(value.get("connecting")),
            syncing=bool(value.get("syncing")),
            handshaken=bool(handshake.get("generation")) or bool(handshake.get("p2p_address")),
            p2p_address=str(handshake.get("p2p_address", "")),
            head_num=int(handshake.get("head_num", handshake.get("fork_db_head_num", 0))),  # Spring's name for it
            key=_proved_key(handshake),
            node=str(handshake.get("node_id", "")),
        )


BRINGER = "127.0.0.1:0:trx"
"""The p2p address of a client that only sends transactions (antelope.peer) and is not a node."""


def connected(links: Iterable[PeerLink]) -> int:
    """The number of other nodes that these links lead to."""
    nodes = (link for link in links if link.handshaken and not link.p2p_address.startswith(BRINGER))
    return len({link.node or link.p2p_address for link in nodes})


def _proved_key(handshake: Mapping[str, Any]) -> PublicKey | None:
    """The key that signed the handshake's token, the sha256 of its time (net_plugin.cpp of AntelopeIO/leap).

    nodeos itself checks it only if `allowed-connection` asks for that.
    """
    try:
        token = hashlib.sha256(int(handshake["time"]).to_bytes(8, "little", signed=True)).digest()
        if not int(handshake["time"]) or token.hex() != handshake["token"]:
            return None
        key = PublicKey.parse(handshake["key"])
        return key if Signature.parse(handshake["sig"]).verify(token, key) else None
    except (KeyError, TypeError, ValueError, OverflowError, FormatError):
        return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A node's statement that a transaction succeeded on its head. Only blocks show whether it stays.

    cpu_usage_us is in microseconds, net_usage in bytes.
    """

    id: str
    block_num: int
    status: str
    cpu_usage_us: int
    net_usage: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Receipt:
        """From the answer of send_transaction2, send_transaction or push_transaction."""
        processed = value["processed"]
        receipt = processed.get("receipt") or {}
        return cls(
            id=value["transaction_id"],
            block_num=int(processed["block_num"]),
            status=str(receipt.get("status", "")),
            cpu_usage_us=int(receipt.get("cpu_usage_us", 0)),
            net_usage=int(processed.get("net_usage", 0)),
        )
