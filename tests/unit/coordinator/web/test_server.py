"""The page over HTTP, for a browser and for an attacker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from coordinator.errors import UsageProblem
from coordinator.web import listening as listening_module
from coordinator.web import server
from coordinator.web.listening import Door, Names
from coordinator.web.model import PublicHost
from coordinator.web.server import STATIC, Site, listening
from coordinator.web.store import Store
from support.endpoint import Endpoint
from support.retry import poll
from tests.ports import free_port
from tests.unit.coordinator.web.shapes import network

LOOPBACK = Endpoint("127.0.0.1", 0)


@dataclass
class Served:
    """A page that is served, and who watches it."""

    store: Store
    url: str
    session: aiohttp.ClientSession
    viewers: int = 0

    def came(self) -> None:
        self.viewers += 1

    def left(self) -> None:
        self.viewers -= 1

    def move(self, head: int) -> None:
        """A new block."""
        self.store.update(replace(network(), chain=replace(network().chain, head=head)))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rstrip("/").rpartition(":")[2])


@asynccontextmanager
async def served(*names: str) -> AsyncIterator[Served]:
    """The page of a small network."""
    door = Door.at(LOOPBACK)
    async with aiohttp.ClientSession() as session:
        found = Served(Store(), door.url, session)
        found.store.update(network())
        async with listening(Site(found.store, Names(names), found.came, found.left), door):
            yield found


async def message(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next event of a stream: its fields, data as JSON."""
    fields: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while line := (await response.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "data":
                fields["data"] = json.loads(value)
            elif name:
                fields[name] = value
            elif "data" in fields:
                return fields
            else:
                fields = {}
    return fields


async def test_the_page_and_its_files() -> None:
    """All of them, with their types; nothing else, and no way out of the folder."""
    async with served() as page:
        for file in STATIC.rglob("*.*"):
            async with page.session.get(f"{page.url}{file.relative_to(STATIC)}") as response:
                assert (response.status, await response.read()) == (200, file.read_bytes())
                assert response.headers["ETag"]
        async with page.session.get(page.url) as response:
            assert response.content_type == "text/html"
        for path in ("/server.py", "/../server.py", "/%2e%2e/server.py", "/js/", "/js/../../model.py", "/.git/config"):
            reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert (await reader.read()).startswith(b"HTTP/1.1 404"), path
            writer.close()


async def test_a_file_that_is_known_is_not_sent_again() -> None:
    """304, by its tag."""
    async with served() as page:
        async with page.session.get(f"{page.url}style.css") as response:
            tag = response.headers["ETag"]
        async with page.session.get(f"{page.url}style.css", headers={"If-None-Match": tag}) as response:
            assert (response.status, await response.read()) == (304, b"")


async def test_every_answer_is_strict() -> None:
    """A policy without a single inline or foreign source, on pages, data, streams and errors alike."""
    async with served() as page:
        for path in ("", "state.json", "events", "missing"):
            async with page.session.get(page.url + path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
                assert "unsafe" not in policy
                assert "frame-ancestors 'none'" in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Server"] == "bootcoord"
                assert "Access-Control-Allow-Origin" not in response.headers


def test_the_page_has_nothing_inline_and_nothing_foreign() -> None:
    """No style attribute, no handler, no script text, no URL of another host."""
    for path in STATIC.rglob("*.*"):
        text = path.read_text()
        assert "style=" not in text, path
        assert "innerHTML" not in text, path
        assert "onclick" not in text, path
        foreign = [part for part in text.split("http")[1:] if part.startswith(("://", "s://"))]
        assert all(part.startswith("://www.w3.org/2000/svg") for part in foreign), path
    page = (STATIC / "index.html").read_text()
    assert page.count("<script") == 1
    assert '<script type="module" src="/js/main.js"></script>' in page


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_it_only_reads(method: str) -> None:
    """Nothing but GET and HEAD is answered, whatever is sent along."""
    async with served() as page:
        for path in ("", "state.json", "events"):
            async with page.session.request(method, page.url + path, data=b"x" * 500) as response:
                assert response.status == 405


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("127.0.0.1:8080", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:8080", 200),
        ("192.168.1.7:8080", 200), ("status.example.org", 200), ("Status.Example.Org.:443", 200),
        ("evil.example", 421), ("evil.example:8080", 421), ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421), ("127.0.0.1:x", 421), ("a b", 421), ("2130706433", 421),
    ],
)  # fmt: skip
async def test_names_that_it_may_be_asked_for(host: str, status: int) -> None:
    """A foreign name that points here (DNS rebinding) gets nothing: no state, no stream."""
    async with served("status.example.org") as page:
        for path in ("", "state.json", "events"):
            async with page.session.get(page.url + path, headers={"Host": host}) as response:
                assert response.status == status
                if status != 200:
                    assert "tutorial" not in await response.text()


async def test_a_stream_is_live_and_goes_on_where_it_was() -> None:
    """First everything, then changes; with the last id, by header or by query, only what came since."""
    async with served() as page:
        async with page.session.get(f"{page.url}events") as response:
            assert response.content_type == "text/event-stream"
            first = await message(response)
            assert first["event"] == "state"
            assert first["data"]["whole"] is True
            page.move(50_000)
            second = await message(response)
            assert second["data"]["sections"].keys() == {"chain"}
        page.move(50_001)
        for resumed in ({"headers": {"Last-Event-ID": second["id"]}}, {"params": {"since": second["id"]}}):
            async with page.session.get(f"{page.url}events", **resumed) as response:  # type: ignore[arg-type]
                third = await message(response)
                assert third["data"]["whole"] is False
                assert third["data"]["sections"]["chain"]["head"] == 50_001


async def test_viewers_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer too many is told when to come back; a viewer that leaves makes room."""
    monkeypatch.setattr(server, "STREAMS", 2)
    monkeypatch.setattr(server, "BEAT_SECONDS", 0.05)
    async with served() as page:
        streams = [await page.session.get(f"{page.url}events") for _ in range(2)]
        assert page.viewers == 2
        async with page.session.get(f"{page.url}events") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "60")
        async with page.session.get(f"{page.url}state.json") as response:
            assert response.status == 200
        streams[0].close()

        async def noticed() -> bool:
            return page.viewers == 1

        await poll(noticed, what="the server to notice", deadline=10)
        async with page.session.get(f"{page.url}events") as response:
            assert (await message(response))["event"] == "state"


async def test_a_slow_viewer_costs_nothing_and_gets_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads nothing while much happens: nothing piles up for it, others are served, and in the end it is let go."""
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.5)
    async with served() as page:
        reader, writer = await asyncio.open_connection("127.0.0.1", page.port, limit=2**10)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readline()
        sent, view = 0, network()

        async def gone() -> bool:
            nonlocal sent
            sent += 1
            hosts = tuple(PublicHost(f"host{at}", True, sent, sent) for at in range(2000))
            page.store.update(replace(view, hosts=hosts))
            return page.viewers == 0

        await poll(gone, what="the slow viewer to be let go", deadline=60, every=0.02)
        assert sent > 3
        writer.close()
        async with page.session.get(f"{page.url}events") as response:
            newest = await message(response)
        assert newest["data"]["sections"]["hosts"][0]["nodes"] == sent


async def test_the_end_is_told() -> None:
    """A viewer learns that the coordinator ends by itself, after its last state, and the port is free at once."""
    async with aiohttp.ClientSession() as session:
        async with served() as page:
            response = await session.get(f"{page.url}events")
            await message(response)
            page.move(50_000)
        assert (await message(response))["data"]["sections"]["chain"]["head"] == 50_000
        assert (await message(response))["event"] == "end"
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(page.url)


async def test_silent_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects and asks nothing is let go; whoever asked stays."""
    monkeypatch.setattr(listening_module, "FIRST_SECONDS", 0.2)
    async with served() as page:
        reader, writer = await asyncio.open_connection("127.0.0.1", page.port)
        writer.write(b"GET / HT")
        async with page.session.get(f"{page.url}events") as response:
            await message(response)
            async with asyncio.timeout(10):
                assert await _rest(reader) == b""
            page.move(50_000)
            assert (await message(response))["data"]["sections"]
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends, in whatever way."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is closed at once, and those that are there stay."""
    monkeypatch.setattr(listening_module, "CONNECTIONS", 1)
    async with served() as page, page.session.get(f"{page.url}events") as response:
        await message(response)
        async with aiohttp.ClientSession() as another:
            with pytest.raises(aiohttp.ClientConnectionError):
                await another.get(page.url)
        page.move(50_000)
        assert (await message(response))["data"]["sections"]


def test_where_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the address that was asked for, or not at all; without one, at the usual port or at a free one."""
    usual = Endpoint("127.0.0.1", free_port())
    monkeypatch.setattr(listening_module, "DEFAULT", usual)
    first = Door.at(None)
    assert first.url == f"http://127.0.0.1:{usual.port}/"
    second = Door.at(None)
    assert second.url != first.url
    assert second.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(UsageProblem, match=f"something else listens on 127.0.0.1:{usual.port}: choose another port"):
        Door.at(usual)
    with pytest.raises(UsageProblem, match=r"cannot listen on 192\.0\.2\.1:80"):
        Door.at(Endpoint("192.0.2.1", 80))
    with pytest.raises(UsageProblem, match=r"nobody\.invalid has no address"):
        Door.at(Endpoint("nobody.invalid", 80))
    everywhere = Door.at(Endpoint("0.0.0.0", 0))  # noqa: S104 (for a moment)
    assert everywhere.url.startswith("http://127.0.0.1:")
    for door in (first, second, everywhere):
        door.socket.close()
