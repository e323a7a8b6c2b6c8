"""What it costs to ask a node through hub, mTLS and agent, against asking the node directly.

It also measures how many tasks a second one agent takes. Everything runs in one process, so two machines do better.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from agent.queries import Queries
from agent.session import Credentials, Send, Session
from antelope.http import NodeClient
from bench.harness import Figure, Say
from coordinator.agents.hub import Hub
from coordinator.agents.records import Records
from protos import coordination_pb2 as pb
from support.endpoint import Endpoint
from support.identity import Kind
from support.tls import key_pem, load_or_make_key, make_csr

ROUNDS = 500
TASKS = 2000
INFO = b'{"head_block_num": 7, "padding": "' + b"x" * 600 + b'"}'


class Work:
    """An agent that passes queries on and finishes tasks immediately."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._send: Send | None = None

    def hello(self) -> pb.Hello:
        """Introduces the agent, as the protocol requires."""
        return pb.Hello()

    def welcome(self, welcome: pb.Welcome, send: Send) -> None:
        """Sets where results are sent."""
        self._send = send

    def parted(self) -> None:
        """The session has ended: results go nowhere."""
        self._send = None

    def accept(self, task: pb.Task) -> None:
        """Reports the task as done immediately."""
        if self._send:
            self._send(pb.FromAgent(result=pb.Result(task=task.id, ok=True)))

    def admitted(self, admission: pb.Admission) -> None:
        """Only parties are admitted."""

    async def answer(self, query: pb.Query) -> pb.Answer:
        """The node's answer to a query."""
        return await self._queries.answer(query)

    async def status(self) -> pb.Status:
        """No periodic report."""
        return pb.Status()


async def median(call: Callable[[], Awaitable[object]]) -> float:
    """Seconds per call, when calls are made one after the other."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


async def measure(folder: Path, port: int) -> list[Figure]:
    """The figures."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(NodeClient(f"http://127.0.0.1:{port}"))
        hub = Hub(stack.enter_context(Records(folder / "state", "bench")), acting=True)
        await stack.enter_async_context(hub.listening(Endpoint("127.0.0.1", 0)))
        key = load_or_make_key(folder / "key")
        certificate = hub.enrol("agent", Kind.HOST, make_csr(key, "agent"))
        queries = Queries(lambda name: port)
        session = Session(
            f"127.0.0.1:{hub.port}", Credentials(key_pem(key), certificate, hub.authority.pem), Work(queries)
        )
        running = asyncio.create_task(session.run(lambda _: None))
        link = await hub.agent("agent", 10)
        direct = await median(lambda: node.call("/v1/chain/get_info", {}))
        remote = await median(lambda: link.query("n", "/v1/chain/get_info", {}))
        begun = time.perf_counter()
        await asyncio.gather(*(link.task(pb.Recount(step="n")) for _ in range(TASKS)))
        rate = TASKS / (time.perf_counter() - begun)
        running.cancel()
        await queries.close()
        return [
            Figure("coordination", "get_info through an agent", remote * 1e3, "ms", direct * 1e3, "asked directly"),
            Figure("coordination", "tasks of one agent", rate, "1/s"),
        ]


async def _measured() -> list[Figure]:
    """Starts an HTTP server in place of nodeos, then measures."""
    app = web.Application()
    app.router.add_post("/{path:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with tempfile.TemporaryDirectory() as folder:
        figures = await measure(Path(folder), runner.addresses[0][1])
    await runner.cleanup()
    return figures


def run(_: Say) -> Iterator[Figure]:
    """The figures."""
    yield from asyncio.run(_measured())


async def _answer(_: web.Request) -> web.Response:
    return web.Response(body=INFO, content_type="application/json")
