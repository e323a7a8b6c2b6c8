"""Errors of the antelope library.

AntelopeError
├── FormatError (also ValueError): a text, a packing or a table that is not what the protocol allows
│   ├── BadName, BadAsset, BadKey
│   ├── BadTransaction, BadGenesis, BadWasm
│   └── AbiError
└── NodeError: a node refused, or could not be asked
    ├── Unreachable: refused, reset, timed out (retryable)
    ├── Busy: 503 or 429 (retryable)
    ├── DuplicateTransaction, ExpiredTransaction, ExpirationTooFar, BadTapos, UnknownActor, BadPackedTransaction
    ├── AccountExists, CodeAlreadySet, AssertionFailed, Unauthorized
    ├── ResourceExceeded: RAM, NET, CPU or the time limit (retryable when it is the block's or the clock's limit)
    ├── UnknownAccount, UnknownBlock, UnknownTable, FeatureAlreadyActive, BadRequest
    ├── BadAnswer: an answer that is not what the API promises
    └── UnknownEndpoint: the node has no such API

Codes: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap.
"""

from __future__ import annotations

from typing import Any


class AntelopeError(Exception):
    """Everything this library raises on purpose."""


class FormatError(AntelopeError, ValueError):
    """A value that the protocol cannot express."""


class BadName(FormatError):
    """Not an account, permission, action or table name."""


class BadAsset(FormatError):
    """Not an asset or symbol, of another symbol, or beyond the bounds."""


class BadKey(FormatError):
    """Not a key or signature of a known kind, or its checksum is wrong."""


class BadTransaction(FormatError):
    """Bytes or JSON that are not a transaction, or one with parts this library does not make."""


class BadGenesis(FormatError):
    """A genesis.json that is incomplete or has unknown parts."""


class BadWasm(FormatError):
    """Bytes that are not a WebAssembly module."""


class AbiError(FormatError):
    """An ABI that is inconsistent, or a value that does not fit its type; says the path of the value."""


class NodeError(AntelopeError):
    """A node's refusal.

    status: HTTP status, 0 when there was no answer. code: nodeos' error code, None when it gave none.
    name: nodeos' exception name. message: `what` and all details, one line. retryable: the same request may succeed
    later.
    """

    retryable: bool = False

    def __init__(self, status: int, code: int | None, name: str, message: str) -> None:
        super().__init__(message if code is None else f"{message} ({code} {name})")
        self.status = status
        self.code = code
        self.name = name
        self.message = message

    def __reduce__(self) -> tuple[type[NodeError], tuple[int, int | None, str, str]]:
        return type(self), (self.status, self.code, self.name, self.message)


class Unreachable(NodeError):
    """No HTTP answer: what became of a pushed transaction is unknown."""

    retryable = True


class Busy(NodeError):
    """The node has too many requests in flight."""

    retryable = True


class DuplicateTransaction(NodeError):
    """The transaction is already in this branch: for who pushes the same bytes again, good news."""


class ExpiredTransaction(NodeError):
    """The expiration has passed: it will never be in a block that comes from now on."""


class ExpirationTooFar(NodeError):
    """The expiration is further ahead than max_transaction_lifetime."""


class BadTapos(NodeError):
    """The reference block is not of this branch."""


class UnknownActor(NodeError):
    """An authorising account or permission does not exist, or a similar fault in the transaction."""


class BadPackedTransaction(NodeError):
    """The node could not unpack the transaction."""


class AccountExists(NodeError):
    """newaccount of an account that is there already."""


class CodeAlreadySet(NodeError):
    """setcode of the code that is there already."""


class AssertionFailed(NodeError):
    """A contract's own check; only the message tells which."""


class Unauthorized(NodeError):
    """Signatures or permissions do not suffice."""


class ResourceExceeded(NodeError):
    """RAM, NET or CPU of the account or the block, or the node's time for a transaction."""

    def __init__(self, status: int, code: int | None, name: str, message: str) -> None:
        super().__init__(status, code, name, message)
        self.retryable = code in _RETRYABLE_RESOURCES


class UnknownAccount(NodeError):
    """The account asked for does not exist."""


class UnknownBlock(NodeError):
    """The node does not have the block asked for: it is not there yet, or pruned."""


class UnknownTable(NodeError):
    """The contract's ABI has no such table, as before its contract is set."""


class BadAnswer(NodeError):
    """The node's answer is not JSON, too large, or lacks what it must have."""


class FeatureAlreadyActive(NodeError):
    """The protocol feature is active already, or unknown to the node; only the message tells which."""


class BadRequest(NodeError):
    """The request is not what the endpoint takes."""


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
    """The error that an HTTP answer of nodeos stands for; body is its decoded JSON, or text when it was none."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        text = body.get("message") if isinstance(body, dict) else body
        kind = _BY_STATUS.get(status, NodeError)
        return kind(status, None, "", f"HTTP {status}: {str(text)[:500]}")
    raw_code = error.get("code")
    code = raw_code if isinstance(raw_code, int) and raw_code else None  # 0 is an exception without a code
    details = error.get("details") or []
    parts = [str(error.get("what", ""))]
    parts += [str(detail.get("message", "")) for detail in details if isinstance(detail, dict)]
    message = "; ".join(" ".join(part.split()) for part in parts if part.strip()) or f"HTTP {status}"
    return _kind(status, code)(status, code, str(error.get("name", "")), message)


def _kind(status: int, code: int | None) -> type[NodeError]:
    if status in (429, 503):
        return Busy
    if code is None:
        return _BY_STATUS.get(status, NodeError)
    return _BY_CODE.get(code) or _BY_FAMILY.get(code // 1000) or _BY_STATUS.get(status, NodeError)
