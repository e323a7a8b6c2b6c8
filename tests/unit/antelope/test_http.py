"""The HTTP client against a server that misbehaves in every way that it may meet."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from antelope.answers import Receipt
from antelope.errors import (
    BadAnswer,
    Busy,
    DuplicateTransaction,
    NodeError,
    ResourceExceeded,
    Unauthorized,
    UnknownEndpoint,
    Unreachable,
    node_error,
)
from antelope.http import NodeClient, without_traces
from antelope.reads import ChainReader
from antelope.transaction import SignedTransaction

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(answer: Answer, **options: Any) -> AsyncIterator[NodeClient]:
    """A client of a server that answers every path this way."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with NodeClient(f"http://{host}:{port}/", **options) as client:
            yield client
    finally:
        await runner.cleanup()


def refusal(code: int, *details: str) -> dict[str, Any]:
    """An error body in nodeos' form."""
    entries = [{"message": text} for text in details]
    return {"code": 500, "message": "x", "error": {"code": code, "name": "n", "what": "What", "details": entries}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (503, refusal(0), Busy, True),
        (429, "text", Busy, True),
        (404, refusal(0), UnknownEndpoint, False),
        (409, refusal(3040008), DuplicateTransaction, False),
        (500, refusal(3080001), ResourceExceeded, False),
        (500, refusal(3080004), ResourceExceeded, True),
        (500, refusal(3081001), ResourceExceeded, True),
        (500, refusal(3090003), Unauthorized, False),
        (500, refusal(3999999), NodeError, False),
        (500, {"error": "odd"}, NodeError, False),
        (500, [1], NodeError, False),
    ],
)
def test_codes_become_types(status: int, body: object, kind: type[NodeError], retryable: bool) -> None:
    """Status and code choose the type of the error, and whether a retry makes sense."""
    error = node_error(status, body)
    assert (type(error), error.retryable, error.status) == (kind, retryable, status)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), again.args, again.code) == (type(error), error.args, error.code)


def test_messages_are_one_line_with_all_details() -> None:
    """The details are joined on one printable line, with the code and the name after them."""
    error = node_error(500, refusal(3050003, "assertion failure:\n over\x1bdrawn", "pending console: "))
    assert str(error) == "What; assertion failure: over drawn; pending console: (3050003 n)"


async def test_texts_go_out_as_utf8() -> None:
    """Texts outside ASCII are not escaped, since nodeos' reader would drop the escapes."""
    seen: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(await request.read())
        return web.json_response(True)

    async with server(answer) as client:
        assert await client.call("/v1/x", {"memo": "grün €"}) is True
    assert seen == ['{"memo": "grün €"}'.encode()]


async def test_bad_answers() -> None:
    """An answer that is not JSON, lacks a field or is too large is BadAnswer, which names the call."""
    bodies = {"/v1/chain/get_info": b'{"chain_id": "x"}', "/large": b'"' + b"x" * 2000 + b'"', "/text": b"<html>"}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bodies[request.path])

    async with server(answer, max_answer=1000) as client:
        with pytest.raises(BadAnswer, match="get_info is malformed: KeyError"):
            await client.get_info()
        with pytest.raises(BadAnswer, match="more than 1000 bytes"):
            await client.call("/large", {})
        with pytest.raises(BadAnswer, match="not JSON"):
            await client.call("/text", {})


async def test_silence_and_broken_connections_are_unreachable() -> None:
    """No answer within the timeout, and a connection that ends within the answer, are Unreachable."""
    release = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/silent":
            await release.wait()
            return web.Response()
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    async with server(answer, timeout=0.2) as client:
        for path in ("/silent", "/broken"):
            with pytest.raises(Unreachable) as caught:
                await client.call(path, {})
            assert (caught.value.retryable, caught.value.status) == (True, 0)
            assert path in str(caught.value)
        release.set()


async def test_push_falls_back_once() -> None:
    """The first push finds the newest endpoint that there is; the next goes straight to it."""
    paths: list[str] = []
    processed = {"block_num": 7, "receipt": {"status": "executed", "cpu_usage_us": 5}, "net_usage": 96}

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        if request.path != "/v1/chain/push_transaction":
            return web.json_response(refusal(0), status=404)
        assert (await request.json())["packed_trx"] == "00"
        return web.json_response({"transaction_id": "ab", "processed": processed}, status=202)

    async with server(answer) as client:
        for _ in range(2):
            receipt = await client.send_transaction(SignedTransaction((), b"\0"))
            assert (receipt.id, receipt.block_num, receipt.cpu_usage_us, receipt.net_usage) == ("ab", 7, 5, 96)
    names = [path.rsplit("/", 1)[1] for path in paths]
    assert names == ["send_transaction2", "send_transaction", "push_transaction", "push_transaction"]


def test_traces_of_successful_pushes_are_left_out() -> None:
    """The receipt's own fields are kept. A failure, or an answer of another form, is kept whole."""
    head = b'{"transaction_id":"ab","processed":{"id":"ab","block_num":7,"receipt":{"status":"executed"},"net_usage":96'
    traces = b',"action_traces":[{"act":{"name":"x"},"except":null,"error_code":null}],"account_ram_delta":null'
    well, badly = b',"except":null,"error_code":null}}', b',"except":{"code":3080004},"error_code":null}}'
    short = without_traces(head + traces + well)
    assert short == head + b"}}"
    assert Receipt.from_json(json.loads(short)).block_num == 7
    for other in (head + traces + badly, b"{}", b"", b'{"action_traces":[]' + well):
        assert without_traces(other) == other


async def test_failure_within_a_success_is_an_error() -> None:
    """A 202 whose trace has an exception is the error that the exception is."""

    async def answer(request: web.Request) -> web.Response:
        failure = {"code": 3080004, "name": "tx_cpu", "message": "too long", "stack": [{"format": "${x}"}]}
        return web.json_response({"transaction_id": "ab", "processed": {"except": failure}}, status=202)

    async with server(answer) as client:
        with pytest.raises(ResourceExceeded, match="too long"):
            await client.send_transaction(SignedTransaction((), b"\0"))


class Recorded(ChainReader):
    """A reader over prepared answers, as one over another transport would be."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.bodies: list[Any] = []

    async def call(self, path: str, body: object) -> Any:
        self.bodies.append(json.loads(json.dumps(body)))
        return self.answers.pop(0)


async def test_reads_work_over_any_call() -> None:
    """The typed reads need only `call`. Pages follow next_key until more is false."""
    reader = Recorded(
        {"rows": [{"n": 1}], "more": True, "next_key": "2"},
        {"rows": [], "more": True, "next_key": "3"},
        {"rows": [{"n": 3}], "more": False, "next_key": ""},
    )
    assert [row["n"] async for row in reader.iter_table_rows("a", "b", "c", lower_bound=1)] == [1, 3]
    assert [body["lower_bound"] for body in reader.bodies] == ["1", "2", "3"]


async def test_paging_that_stands_still_is_an_error() -> None:
    """A node that promises more but never advances does not block the reader for ever."""
    stuck = {"rows": [], "more": True, "next_key": "5"}
    with pytest.raises(BadAnswer, match="reports more after"):
        _ = [row async for row in Recorded(stuck, stuck).iter_table_rows("a", "b", "c")]
    features = {"activated_protocol_features": [], "more": 0}
    with pytest.raises(BadAnswer, match="does not advance"):
        await Recorded(features).get_activated_protocol_features()


async def test_activated_features_are_paged() -> None:
    """All pages of the active features are read."""
    first = {"activated_protocol_features": [{"feature_digest": "aa"}], "more": 1}
    second = {"activated_protocol_features": [{"feature_digest": "bb"}]}
    assert await Recorded(first, second).get_activated_protocol_features() == ("aa", "bb")
