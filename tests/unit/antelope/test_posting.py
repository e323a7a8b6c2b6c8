"""HTTP/1.1 answers of every form, from a server that sends exactly these bytes."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.posting import KEEP_SECONDS, BadUrl, BrokenAnswer, Poster, TooLarge
from support.retry import poll

OK = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Server:
    """Answers each request on each connection with the next of its answers, and remembers the requests."""

    answers: list[bytes]
    url: str = ""
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """An answer that is empty waits for this, and is `OK` without a body then."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; it is closed after an answer that ends with the connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(size))
                answer = self.answers.pop(0)
                if not answer:
                    await self.hold.wait()
                    answer = OK + b"Content-Length: 0\r\n\r\n"
                writer.write(answer)
                await writer.drain()
                if answer.endswith(b"END"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, IndexError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: bytes, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    """A server on loopback."""
    server = Server(list(answers))
    async with await asyncio.start_server(server.talk, host, 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        yield server


def sized(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with its length."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (sized(b"abc"), 200, b"abc"),
        (sized(b"", b"500 Internal Server Error"), 500, b""),
        (b"HTTP/1.1 202\r\ncontent-length:  3 \r\nX: y: z\r\n\r\nabc", 202, b"abc"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200, b"abc0123456789"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: 1\r\n\r\n", 200, b"a"),
        (OK + b"\r\nto the END", 200, b"to the END"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nEND", 200, b"END"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + sized(b"abc"), 200, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    ],
)
async def test_every_form_of_an_answer_is_read(answer: bytes, status: int, body: bytes) -> None:
    """With its length, in chunks, to the connection's end; and the next post gets its own answer."""
    async with serving(answer, sized(b"next")) as server:
        poster = Poster(5, 1000)
        assert await poster.post(server.url + "/v1/x?y=1", b"{}") == (status, body)
        assert await poster.post(server.url, b"") == (200, b"next")
        await poster.close()
    first, second = server.requests
    assert first.startswith(b"POST /v1/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Type: application/json\r\nContent-Length: 2\r\n" in first
    assert first.endswith(b"\r\n\r\n{}")
    assert second.startswith(b"POST / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"END",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nEND",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nEND",
        b"HTTP/1.1 OK\r\n\r\nEND",
        b"ICE/1.1 200 OK\r\n\r\nEND",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nEND",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nEND",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (1 << 17) + b"\r\n\r\nEND",
    ],
)
async def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    """And the connection is not used again."""
    async with serving(answer, sized(b"next")) as server:
        poster = Poster(5, 1000)
        with pytest.raises(BrokenAnswer):
            await poster.post(server.url, b"{}")
        assert await poster.post(server.url, b"{}") == (200, b"next")
        assert server.connections == 2
        await poster.close()


@given(answer=st.binary(max_size=60))
def test_no_bytes_raise_anything_else(answer: bytes) -> None:
    """Whatever a server says, it is an answer or an OSError."""

    async def say() -> None:
        async with serving(OK + answer + b"END") as server:
            poster = Poster(5, 1000)
            try:
                await poster.post(server.url, b"{}")
            except (OSError, TooLarge):
                pass
            finally:
                await poster.close()

    asyncio.run(say())


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"x" * 1001),
        OK + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n",
        OK + b"\r\n" + b"x" * 1000 + b"END",
    ],
)
async def test_an_answer_may_not_be_too_large(answer: bytes) -> None:
    """A too large answer of any form is refused; the error has the status."""
    async with serving(answer) as server:
        with pytest.raises(TooLarge) as caught:
            await Poster(5, 1000).post(server.url, b"{}")
    assert caught.value.status == 200


async def test_a_large_answer_comes_whole() -> None:
    """One that is far larger than what is read at once."""
    body = bytes(range(256)) * 40_000
    async with serving(sized(body)) as server:
        poster = Poster(20, len(body))
        assert await poster.post(server.url, b"x" * 1_000_000) == (200, body)
        await poster.close()


async def test_connections_are_kept() -> None:
    """One serves all posts that follow each other, unless the server says that it closes."""
    answers = [sized(b"1"), sized(b"2"), OK + b"Connection: Close\r\nContent-Length: 1\r\n\r\n3", sized(b"4")]
    async with serving(*answers) as server:
        poster, seen = Poster(5, 1000), []
        for _ in range(4):
            await poster.post(server.url, b"{}")
            seen.append(server.connections)
        await poster.close()
    assert seen == [1, 1, 1, 2]


async def test_a_connection_that_ended_or_is_old_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may close it between two posts, and will after a while."""
    async with serving(sized(b"END"), sized(b"2"), sized(b"3")) as server:
        poster = Poster(5, 1000)
        await poster.post(server.url, b"{}")
        (idle,) = poster._idle[("http", server.url.removeprefix("http://"))]
        await idle.reader.read()  # the server's end has come
        assert await poster.post(server.url, b"{}") == (200, b"2")
        assert server.connections == 2
        monkeypatch.setattr("antelope.posting.time.monotonic", lambda: 1e9 + KEEP_SECONDS)
        assert await poster.post(server.url, b"{}") == (200, b"3")
        assert server.connections == 3
        await poster.close()


async def _held(server: Server, count: int) -> None:
    async def asked() -> bool:
        return len(server.requests) >= count

    await poll(asked, what="the requests", deadline=5, every=0.01)


async def test_silence_is_a_timeout_and_a_cancelled_post_is_over() -> None:
    """Neither leaves a connection on which an answer of the past could come."""
    async with serving(b"", b"", sized(b"3")) as server:
        poster = Poster(0.2, 1000)
        with pytest.raises(TimeoutError):
            await poster.post(server.url, b"{}")
        task = asyncio.create_task(poster.post(server.url, b"{}"))
        await _held(server, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await poster.post(server.url, b"{}") == (200, b"3")
        assert server.connections == 3
        server.hold.set()
        await poster.close()


async def test_so_many_calls_are_made_at_once_and_no_more() -> None:
    """The others wait for their turn."""
    async with serving(b"", b"", b"", b"") as server:
        poster = Poster(5, 1000, connections=2)
        calls = [asyncio.create_task(poster.post(server.url, b"{}")) for _ in range(4)]
        await _held(server, 2)
        await asyncio.sleep(0)
        assert (len(server.requests), server.connections) == (2, 2)
        server.hold.set()
        assert await asyncio.gather(*calls) == [(200, b"")] * 4
        assert server.connections == 2
        await poster.close()


async def test_closing_ends_calls_and_a_later_call_opens_anew() -> None:
    """As for a node that is started again."""
    async with serving(b"", sized(b"2")) as server:
        poster = Poster(5, 1000)
        task = asyncio.create_task(poster.post(server.url, b"{}"))
        await _held(server, 1)
        await poster.close()
        with pytest.raises(OSError):  # noqa: PT011 (of whatever kind)
            await task
        assert await poster.post(server.url, b"{}") == (200, b"2")
        server.hold.set()
        await poster.close()


@pytest.mark.parametrize(
    "url", ["http://", "ftp://a/", "http://a:99999/", "http://[1/", "a", "http://a:0/", "http://" + "a" * 70]
)
async def test_what_is_no_url_is_refused(url: str) -> None:
    """In one line, as an OSError."""
    with pytest.raises(BadUrl, match="not the URL of an HTTP server"):
        await Poster(5, 1000).post(url, b"{}")


async def test_ipv6_and_nobody_there() -> None:
    """An address in brackets; a port where nobody listens."""
    async with serving(sized(b"1"), host="::1") as server:
        poster = Poster(5, 1000)
        assert await poster.post(server.url, b"{}") == (200, b"1")
        await poster.close()
    with pytest.raises(ConnectionRefusedError):
        await poster.post(server.url, b"{}")


@pytest.fixture
def unknown(tmp_path: Path) -> ssl.SSLContext:
    """Of a server whose certificate nobody vouches for."""
    key, pem = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    words = ["req", "-newkey", "rsa:2048", "-nodes", "-x509", "-days", "2", "-subj", "/CN=localhost", "-batch"]
    subprocess.run(["openssl", *words, "-keyout", key, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context


async def test_https_is_for_certificates_that_can_be_checked(unknown: ssl.SSLContext) -> None:
    """Another certificate is an OSError."""
    async with await asyncio.start_server(Server([]).talk, "127.0.0.1", 0, ssl=unknown) as listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await Poster(5, 1000).post(f"https://localhost:{port}/", b"{}")
