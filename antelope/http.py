"""A client for one nodeos over HTTP: reads, pushes, and the producer and net APIs. It never retries."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from antelope.answers import Receipt, read_answer
from antelope.errors import BadAnswer, BadJson, NodeError, UnknownEndpoint, Unreachable, node_error
from antelope.posting import Poster, TooLarge
from antelope.reads import ChainReader
from antelope.strict_json import ANSWER_DEPTH, read_json
from antelope.transaction import SignedTransaction

MAX_ANSWER = 64 << 20
_TRACES, _WENT_WELL = b',"action_traces":[', b',"except":null,"error_code":null}}'
_HEAD = 4096
"""The traces of an answer begin within this many bytes of its beginning."""
_PUSH_PATHS = ("/v1/chain/send_transaction2", "/v1/chain/send_transaction", "/v1/chain/push_transaction")


class NodeClient(ChainReader):
    """Use it as `async with NodeClient("http://127.0.0.1:8888") as node`; it keeps its connections alive.

    timeout: seconds for a whole call; max_answer: bytes.
    """

    def __init__(
        self, base_url: str, timeout: float = 30.0, max_answer: int = MAX_ANSWER, connections: int = 32
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._max_answer = max_answer
        self._poster = Poster(timeout, max_answer, connections)
        self._push_path = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes its connections; a later call opens new ones."""
        await self._poster.close()

    async def call(self, path: str, body: object) -> Any:
        """Posts body as JSON and returns the decoded answer. Raises the NodeError that nodeos' error code means."""
        try:
            # nodeos reads \u escapes as plain letters, so strings are sent as UTF-8.
            status, raw = await self._poster.post(self.base_url + path, json.dumps(body, ensure_ascii=False).encode())
        except TimeoutError as error:
            message = f"{self.base_url}{path} gave no answer within {self._timeout:g} s"
            raise Unreachable(message) from error
        except TooLarge as error:
            message = f"{self.base_url}{path} answered with more than {self._max_answer} bytes"
            raise BadAnswer(error.status, None, "", message) from error
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise Unreachable(f"{self.base_url}{path} cannot be reached: {reason}") from error
        if path in _PUSH_PATHS:
            raw = without_traces(raw)
        try:
            answer = read_json(raw, size=self._max_answer, depth=ANSWER_DEPTH) if raw else None
        except BadJson as error:
            if status < 300:
                raise BadAnswer(
                    status, None, "", f"{self.base_url}{path} answered with what cannot be read: {error}"
                ) from error
            answer = raw.decode("utf-8", "replace")
        if status >= 300:
            raise node_error(status, answer)
        return answer

    async def send_transaction(self, transaction: SignedTransaction) -> Receipt:
        """Pushes a transaction through the newest push endpoint that the node has. Raises NodeError.

        DuplicateTransaction means that these bytes are in the node's branch already; after Unreachable their fate is
        unknown.
        """
        answer = await self._push(transaction.to_json())
        failure = answer.get("processed", {}).get("except") if isinstance(answer, dict) else None
        if failure:
            details = [{"message": entry.get("format", "")} for entry in failure.get("stack", [])]
            error = {"code": failure.get("code"), "name": failure.get("name"), "what": failure.get("message")}
            raise node_error(500, {"error": {**error, "details": details}})
        return read_answer("send_transaction", Receipt.from_json, answer)

    async def _push(self, packed: dict[str, Any]) -> Any:
        while True:
            path = _PUSH_PATHS[self._push_path]
            options = {"return_failure_trace": False, "retry_trx": False, "transaction": packed}
            try:
                return await self.call(path, options if self._push_path == 0 else packed)
            except UnknownEndpoint:
                if self._push_path + 1 == len(_PUSH_PATHS):
                    raise
                self._push_path += 1

    async def schedule_protocol_feature_activations(self, digests: list[str]) -> None:
        """Asks the producing node to activate features in its next block; the request is lost when it restarts."""
        path = "/v1/producer/schedule_protocol_feature_activations"
        await self.call(path, {"protocol_features_to_activate": digests})

    async def create_snapshot(self) -> str:
        """Has the node write a snapshot of its state, through its producer API. Returns the file's path on its host.

        It holds the head block of a node that reads irreversible state; another node answers when its head is
        irreversible.
        """
        answer = await self.call("/v1/producer/create_snapshot", {})
        return read_answer("create_snapshot", lambda value: str(value["snapshot_name"]), answer)

    async def schedule_snapshot(self, block: int) -> None:
        """Has the node write a snapshot of its state at a block to come, beside its others, once that is irreversible.

        EOSIO 2 and Leap 3 have no such call: UnknownEndpoint.
        """
        wanted = {"start_block_num": block, "end_block_num": block, "block_spacing": 0}
        await self.call("/v1/producer/schedule_snapshot", wanted | {"snapshot_description": "bootcoord"})

    async def connect(self, endpoint: str) -> str:
        """Has the node dial a peer (HOST:PORT). Returns the node's words; "added" does not mean that the peer
        answers."""
        return str(await self.call("/v1/net/connect", endpoint))

    async def disconnect(self, endpoint: str) -> str:
        """Has the node drop a peer that it dialled (HOST:PORT), and not dial it again. Returns the node's words."""
        return str(await self.call("/v1/net/disconnect", endpoint))

    async def is_up(self) -> bool:
        """Whether the node answers get_info now."""
        try:
            await self.get_info()
        except NodeError:
            return False
        return True


def without_traces(raw: bytes) -> bytes:
    """A push's answer without its action traces, which take 15 kB per account and are not needed.

    nodeos writes them between the part that is kept and the end, which says that all went well; any other answer is
    returned unchanged.
    """
    start = raw.find(_TRACES, 0, _HEAD)
    return raw[:start] + b"}}" if start > 0 and raw.endswith(_WENT_WELL) else raw
