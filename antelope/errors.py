"""Errors of the antelope library.

AntelopeError
├── FormatError (also ValueError): a string, packed data or an ABI that the protocol does not allow
│   ├── BadName, BadAsset, BadKey
│   ├── BadTransaction, BadGenesis, BadWasm, BadJson
│   └── AbiError
├── PeerLost: a node's p2p port cannot be used (any longer)
└── NodeError: a node refused, or could not be asked
    ├── Unreachable: refused, reset, timed out (retryable)
    ├── Busy: 503 or 429 (retryable)
    ├── DuplicateTransaction, ExpiredTransaction, ExpirationTooFar, BadTapos, UnknownActor, BadPackedTransaction
    ├── AccountExists, CodeAlreadySet, AssertionFailed, Unauthorized
    ├── ResourceExceeded: RAM, NET, CPU or the time limit (retryable when it is the block's or the clock's limit)
    ├── UnknownAccount, UnknownBlock, UnknownTable, FeatureAlreadyActive, BadRequest
    ├── BadAnswer: an answer that is not of the API's form
    └── UnknownEndpoint: the node has no such API

Codes: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

import reprlib
from typing import Any

_BRIEF = reprlib.Repr()
_BRIEF.maxother = _BRIEF.maxstring = _BRIEF.maxlong = 300


def brief(value: object, most: int = 60) -> str:
    """A stranger's value for use in a message: as Python writes it, shortened, however large or nested it is."""
    return _BRIEF.repr(value)[:most]


class AntelopeError(Exception):
    """Base of all errors that this library raises on purpose.

    exit_status: of a command that ends with it. retryable: the same may succeed later. hint: what to do.
    """

    exit_status = 1
    retryable: bool = False
    hint = ""


class FormatError(AntelopeError, ValueError):
    """A value that the protocol cannot express."""


class BadName(FormatError):
    """Not an account, permission, action or table name."""


class BadAsset(FormatError):
    """Not an asset or symbol, of another symbol, or out of range."""


class BadKey(FormatError):
    """Not a key or signature of a known kind, or its checksum is wrong."""


class BadTransaction(FormatError):
    """Not a transaction, or one with parts that this library does not support."""


class BadGenesis(FormatError):
    """A genesis.json that is incomplete or has unknown fields."""


class BadJson(FormatError):
    """Not JSON, or JSON that exceeds the limits of size, depth or numbers for a stranger's JSON."""


class BadWasm(FormatError):
    """Bytes that are not a WebAssembly module."""


class AbiError(FormatError):
    """An inconsistent ABI, or a value that does not fit its type; the message has the value's path."""


class PeerLost(AntelopeError):
    """A node's p2p port accepts no connection, or has ended one."""


class NodeError(AntelopeError):
    """A node refused a request, or did not answer.

    status: HTTP status, 0 when there was no answer. code: nodeos' error code, None when there is none. name: nodeos'
    exception name. message: `what` and all details, in one line. retryable: the same request may succeed later.
    """

    def __init__(self, status: int, code: int | None, name: str, message: str) -> None:
        super().__init__(message if code is None else f"{message} ({code} {name})")
        self.status = status
        self.code = code
        self.name = name
        self.message = message

    def __reduce__(self) -> tuple[type[NodeError], tuple[int, int | None, str, str]]:
        return type(self), (self.status, self.code, self.name, self.message)


class Unreachable(NodeError):
    """There was no answer: whether a pushed transaction took effect is unknown."""

    retryable = True

    def __init__(self, message: str) -> None:
        """message: why not, in one line."""
        super().__init__(0, None, "", message)

    def __reduce__(self) -> tuple[type[Unreachable], tuple[str]]:  # type: ignore[override]
        return type(self), (self.message,)


class Busy(NodeError):
    """The node has too many requests in flight."""

    retryable = True


class DuplicateTransaction(NodeError):
    """The transaction is already in this branch. To anyone who pushes the same bytes again, that is success."""


class ExpiredTransaction(NodeError):
    """The expiration has passed: no block from now on will contain the transaction."""


class ExpirationTooFar(NodeError):
    """The expiration is more than max_transaction_lifetime ahead."""


class BadTapos(NodeError):
    """The reference block is not in this branch."""


class UnknownActor(NodeError):
    """An authorising account or permission does not exist, or a similar mistake in the transaction."""


class BadPackedTransaction(NodeError):
    """The node could not unpack the transaction."""


class AccountExists(NodeError):
    """newaccount of an account that exists already."""


class CodeAlreadySet(NodeError):
    """setcode of the code that the account has already."""


class AssertionFailed(NodeError):
    """A contract's own check failed; only the message says which."""


class Unauthorized(NodeError):
    """Signatures or permissions are not sufficient."""


class ResourceExceeded(NodeError):
    """The account's or the block's RAM, NET or CPU, or the node's time limit for a transaction, is exceeded."""

    def __init__(self, status: int, code: int | None, name: str, message: str) -> None:
        super().__init__(status, code, name, message)
        self.retryable = code in _RETRYABLE_RESOURCES


class UnknownAccount(NodeError):
    """The account asked for does not exist."""


class UnknownBlock(NodeError):
    """The node does not have the block: it does not exist yet, or was pruned."""


class UnknownTable(NodeError):
    """The account's ABI has no such table, for instance because its contract is not set yet."""


class BadAnswer(NodeError):
    """The node's answer is not JSON, too large, or incomplete."""


class FeatureAlreadyActive(NodeError):
    """The protocol feature is active already, or unknown to the node; only the message says which."""


class BadRequest(NodeError):
    """The endpoint does not accept the request."""


class UnknownEndpoint(NodeError):
    """The node does not serve this path: its plugin is not loaded, or it is another version."""


# Block full (net, cpu), transaction's CPU time, deadline, leeway: a warmer node or the next block may take it.
_RETRYABLE_RESOURCES = frozenset({3080003, 3080004, 3080005, 3080006, 3081001})

_BY_CODE: dict[int, type[NodeError]] = {
    3040000: UnknownActor,
    3040005: ExpiredTransaction,
    3040006: ExpirationTooFar,
    3040007: BadTapos,
    3040008: DuplicateTransaction,
    3010010: BadPackedTransaction,
    3050001: AccountExists,
    3050003: AssertionFailed,
    3050004: AssertionFailed,
    3060002: UnknownAccount,
    3060003: UnknownTable,
    3100002: UnknownBlock,
    3160008: CodeAlreadySet,
    3200006: BadRequest,
    3250000: FeatureAlreadyActive,
    3081001: ResourceExceeded,
}
_BY_FAMILY: dict[int, type[NodeError]] = {3080: ResourceExceeded, 3090: Unauthorized}
_BY_STATUS: dict[int, type[NodeError]] = {400: BadRequest, 404: UnknownEndpoint, 429: Busy, 503: Busy}


def node_error(status: int, body: Any) -> NodeError:
    """The error that an HTTP answer of nodeos means. body: its decoded JSON, or its text if it was not JSON."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        text = body.get("message") if isinstance(body, dict) else body
        kind = _BY_STATUS.get(status, NodeError)
        return kind(status, None, "", f"HTTP {status}: {_line(str(text)[:500])}")
    raw_code = error.get("code")
    code = raw_code if isinstance(raw_code, int) and raw_code else None  # 0 is an exception without a code
    details = error.get("details")
    parts = [str(error.get("what", ""))]
    listed = details if isinstance(details, list) else []
    parts += [str(one.get("message", "")) for one in listed if isinstance(one, dict)]
    message = "; ".join(_line(part) for part in parts if part.strip()) or f"HTTP {status}"
    return _kind(status, code)(status, code, _line(str(error.get("name", ""))), message)


def _line(text: str) -> str:
    """One printable line: the text may come from a contract, whose author may be anybody."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _kind(status: int, code: int | None) -> type[NodeError]:
    if status in (429, 503):
        return Busy
    if code is None:
        return _BY_STATUS.get(status, NodeError)
    return _BY_CODE.get(code) or _BY_FAMILY.get(code // 1000) or _BY_STATUS.get(status, NodeError)
