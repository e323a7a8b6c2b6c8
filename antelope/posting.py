"""A small HTTP/1.1 client for nodeos: POSTs over connections that are kept alive. It never retries, follows no
redirects, and uses no proxies.

A full HTTP client library takes 8 MiB of memory and 0.1 s to import. Agents and `coord` need only POSTs: an agent runs
for months beside its nodes, and most commands of `coord` take less than 0.1 s.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

KEEP_SECONDS = 15.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""
HEAD_LIMIT = 1 << 16
"""Bytes of an answer's status line and headers, and of a chunk's size."""
_EMPTY = (204, 304)
"""Statuses of answers without a body."""
_PORTS = {"http": 80, "https": 443}


class BrokenAnswer(ConnectionError):
    """The answer is not HTTP/1.1, or ended too early."""


class BadUrl(OSError):
    """A URL that cannot be that of an HTTP server."""


class TooLarge(Exception):
    """The answer has more bytes than were allowed. status: the HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: float = 0.0
    """When its last answer came (monotonic)."""

    @property
    def usable(self) -> bool:
        """Whether another request may go over it."""
        young = time.monotonic() - self.used < KEEP_SECONDS
        return young and not self.reader.at_eof() and not self.writer.is_closing()


@dataclass(frozen=True)
class _Head:
    """Status and headers of an answer."""

    status: int
    headers: dict[str, str]
    """By lower-case name."""
    version: str

    @property
    def stays(self) -> bool:
        """Whether the server keeps the connection after the answer."""
        said = self.headers.get("connection", "").lower()
        return "close" not in said and (self.version == "HTTP/1.1" or "keep-alive" in said)


class Poster:
    """Posts JSON to any URL, and keeps connections for the next posts to the same server."""

    def __init__(self, timeout: float, limit: int, connections: int = 32) -> None:
        """timeout: seconds for a whole call. limit: bytes of an answer. connections: calls at the same time."""
        self._timeout = timeout
        self._limit = limit
        self._turns = asyncio.Semaphore(connections)
        self._idle: dict[tuple[str, str], list[_Connection]] = {}
        self._open: set[asyncio.StreamWriter] = set()

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises TimeoutError, TooLarge and OSError, of which BrokenAnswer and BadUrl
        are kinds.
        """
        place = _place(url)
        async with asyncio.timeout(self._timeout), self._turns:
            connection = await self._connection(place)
            try:
                connection.writer.write(_request(place, body))
                await connection.writer.drain()
                head, answer = await _answer(connection.reader, self._limit)
            except BaseException:
                self._discard(connection)
                raise
        if head.stays:
            connection.used = time.monotonic()
            self._idle.setdefault((place.scheme, place.netloc), []).append(connection)
        else:
            self._discard(connection)
        return head.status, answer

    async def close(self) -> None:
        """Closes all connections; a later call opens new ones."""
        self._idle.clear()
        for writer in tuple(self._open):
            writer.close()
        self._open.clear()

    async def _connection(self, place: SplitResult) -> _Connection:
        """The idle connection that was used last, or a new one."""
        idle = self._idle.get((place.scheme, place.netloc), [])
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            self._discard(connection)
        secure, port = place.scheme == "https" or None, place.port or _PORTS[place.scheme]
        reader, writer = await asyncio.open_connection(place.hostname, port, ssl=secure, limit=HEAD_LIMIT)
        self._open.add(writer)
        return _Connection(reader, writer)

    def _discard(self, connection: _Connection) -> None:
        connection.writer.close()
        self._open.discard(connection.writer)


def _place(url: str) -> SplitResult:
    """Raises BadUrl."""
    try:
        place = urlsplit(url)
        sound = place.scheme in _PORTS and place.port != 0 and (place.hostname or "").encode("idna")
    except ValueError:  # an impossible port or address; UnicodeError is a ValueError
        sound = False
    if not sound:
        raise BadUrl(f"{url[:200]} is not the URL of an HTTP server")
    return place


def _request(place: SplitResult, body: bytes) -> bytes:
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    host = place.netloc.rpartition("@")[2]
    lines = (f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "Accept: */*", "", "")).encode() + body


async def _answer(reader: asyncio.StreamReader, limit: int) -> tuple[_Head, bytes]:
    try:
        head = await _head(reader)
        while 100 <= head.status < 200:  # the answer follows
            head = await _head(reader)
        return head, await _body(reader, head, limit)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise BrokenAnswer("the answer ended too early, or its headers do not end") from error
    except (ValueError, IndexError) as error:
        raise BrokenAnswer("the answer is not HTTP/1.1") from error


async def _head(reader: asyncio.StreamReader) -> _Head:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    version, status, *_ = first.split(" ", 2)
    if not version.startswith("HTTP/1."):
        raise ValueError(first)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return _Head(int(status), headers, version)


async def _body(reader: asyncio.StreamReader, head: _Head, limit: int) -> bytes:
    if head.status in _EMPTY:
        return b""
    if "chunked" in head.headers.get("transfer-encoding", "").lower():
        return await _chunks(reader, head, limit)
    length = head.headers.get("content-length")
    if length is None:
        head.headers["connection"] = "close"  # the answer ends with the connection
        return await _until_end(reader, head, limit)
    if not length.isdecimal():
        raise ValueError(length)
    if int(length) > limit:
        raise TooLarge(head.status)
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader, head: _Head, limit: int) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        if size < 0 or len(body) + size > limit:
            raise TooLarge(head.status)
        body += (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
        pass
    return bytes(body)


async def _until_end(reader: asyncio.StreamReader, head: _Head, limit: int) -> bytes:
    body = bytearray()
    while part := await reader.read(HEAD_LIMIT):
        body += part
        if len(body) > limit:
            raise TooLarge(head.status)
    return bytes(body)
