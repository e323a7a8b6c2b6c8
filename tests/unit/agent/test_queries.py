"""Only calls that read reach a node."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from agent import snapshots
from agent.queries import ANSWER_LIMIT, PART, QUESTION_LIMIT, Queries
from protos import coordination_pb2 as pb
from support.snapshots import SnapshotStore


@dataclass
class Node:
    """An HTTP server in the place of nodeos."""

    queries: Queries
    called: list[str] = field(default_factory=list)
    snapshot: list[str] = field(default_factory=list)
    """The files that create_snapshot writes, one after the other."""


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Echoes; get_error refuses, get_large answers too much."""
    called: list[str] = []
    snapshot: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        called.append(request.path)
        if request.path.endswith("get_error"):
            return web.json_response({"error": {"code": 3060002}}, status=400)
        if request.path.endswith("create_snapshot"):
            return web.json_response({"snapshot_name": snapshot.pop(0)})
        if request.path.endswith("get_big"):
            return web.Response(body=b'"' + b"x" * (PART + 10) + b'"')
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
    queries = Queries(lambda name: {"genesis": port, "down": 1}[name], SnapshotStore(Path("nowhere")))
    yield Node(queries, called, snapshot)
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


async def test_a_large_answer_comes_in_parts(node: Node) -> None:
    """What does not fit a message is asked for from an offset on; each part says how much there is."""
    body = b'"' + b"x" * (PART + 10) + b'"'
    first = await node.queries.answer(pb.Query(id="q", node="genesis", path="/v1/chain/get_big", body=b"{}"))
    assert (first.total, len(first.body)) == (len(body), PART)
    rest = pb.Query(id="q", node="genesis", path="/v1/chain/get_big", body=b"{}", offset=PART)
    assert first.body + (await node.queries.answer(rest)).body == body


async def test_snapshots_are_for_hosts_of_the_operator(node: Node, tmp_path: Path) -> None:
    """A host's node writes its state, which is read part by part and removed; a party's agent takes no such order."""
    made = tmp_path / "snapshot.bin"
    made.write_bytes(bytes(range(256)) * 20_000)
    node.snapshot.append(str(made))

    async def ask(body: bytes) -> pb.Answer:
        return await _ask(node, snapshots.PATH, body)

    taken = json.loads((await ask(b'{"take": true}')).body)
    assert taken == {"path": str(made), "size": 5_120_000}
    parts = [(await ask(b'{"read": %d}' % offset)).body for offset in (0, snapshots.PART, 5_120_000)]
    assert (b"".join(parts), parts[2]) == (made.read_bytes(), b"")
    assert "from an offset" in (await ask(b'{"read": -1}')).error
    assert (await ask(b'{"drop": true}')).error == ""
    assert not made.exists()
    assert "holds no snapshot" in (await ask(b'{"read": 0}')).error
    theirs = Queries(lambda name: 1)
    refused = await theirs.answer(pb.Query(id="q", node="genesis", path=snapshots.PATH, body=b'{"take": true}'))
    assert "does not pass on" in refused.error


async def test_a_snapshot_that_nobody_dropped_goes_with_the_agent(node: Node, tmp_path: Path) -> None:
    """And with the next one of the same node."""
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        path.write_bytes(b"state")
        node.snapshot.append(str(path))
        assert (await _ask(node, snapshots.PATH, b'{"take": true}')).status == 200
    assert [path.exists() for path in paths] == [False, True]
    await node.queries.close()
    assert not paths[1].exists()


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
