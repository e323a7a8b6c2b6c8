"""Only calls that read reach a node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from agent.queries import ANSWER_LIMIT, QUESTION_LIMIT, Queries
from protos import coordination_pb2 as pb


@dataclass
class Node:
    """An HTTP server in the place of nodeos."""

    queries: Queries
    called: list[str] = field(default_factory=list)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Echoes; get_error refuses, get_large answers too much."""
    called: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        called.append(request.path)
        if request.path.endswith("get_error"):
            return web.json_response({"error": {"code": 3060002}}, status=400)
        if request.path.endswith("get_large"):
            return web.Response(body=bytes(ANSWER_LIMIT + 1))
        return web.Response(body=await request.read(), content_type="application/json")

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    queries = Queries(lambda name: {"genesis": port, "down": 1}[name])
    yield Node(queries, called)
    await queries.close()
    await runner.cleanup()


async def _ask(node: Node, path: str, body: bytes = b"", name: str = "genesis") -> pb.Answer:
    return await node.queries.answer(pb.Query(id="q", node=name, path=path, body=body))


async def test_answers_pass_as_they_are(node: Node) -> None:
    """Status and body, of refusals too."""
    answer = await _ask(node, "/v1/chain/get_account", b'{"account_name":"a"}')
    assert (answer.id, answer.status, json.loads(answer.body)) == ("q", 200, {"account_name": "a"})
    answer = await _ask(node, "/v1/chain/get_error")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, 3060002)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chain/send_transaction2",
        "/v1/chain/push_transaction",
        "/v1/producer/pause",
        "/v1/producer/schedule_protocol_feature_activations",
        "/v1/net/connect",
        "/v1/net/disconnect",
        "/v1/chain/get_info/../send_transaction2",
        "/v1/chain/get_info\n",
        "/v1/chain/get_info?x",
        "/v1/chain/get_info HTTP/1.1\r\nX: y",
        "v1/chain/get_info",
        "@evil/v1/chain/get_info",
        "",
    ],
)
async def test_everything_else_is_refused(node: Node, path: str) -> None:
    """By name, before anything is sent."""
    answer = await _ask(node, path)
    assert answer.status == 0
    assert "does not pass on" in answer.error
    assert node.called == []


async def test_what_cannot_be_answered_says_why(node: Node) -> None:
    """An unknown node, one that is down, no JSON, too much of it either way."""
    for wanted, name, body, path in (
        ("no node", "other", b"", "get_info"),
        ("1", "down", b"", "get_info"),
        ("not JSON", "genesis", b"{", "get_info"),
        ("not JSON", "genesis", b"[" * 60_000, "get_info"),
        ("larger", "genesis", b"1" * (QUESTION_LIMIT + 1), "get_info"),
        ("larger", "genesis", b"", "get_large"),
    ):
        answer = await _ask(node, f"/v1/chain/{path}", body, name)
        assert answer.status == 0
        assert wanted in answer.error
