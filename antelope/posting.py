"""POSTs to nodeos over connections that are kept alive, in HTTP/1.1 as h11 speaks it. It never retries, follows no
redirects, and uses no proxies.

A client library with all of HTTP takes 8 MiB of memory and 0.1 s to import. Agents and `coord` need only POSTs: an
agent runs for months beside its nodes, and most commands of `coord` take less than 0.1 s.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import SplitResult, urlsplit

import h11

KEEP_SECONDS = 15.0
"""A connection that was idle for longer is not used again: the server may be about to close it."""
HEAD_LIMIT = 1 << 16
"""Bytes of an answer's status line and headers, and of what is read at once."""
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


class _Connection:
    """One connection to a server, and where it is in the protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self._used = 0.0
        """When its last answer came (monotonic)."""

    @property
    def usable(self) -> bool:
        """Whether another request may go over it."""
        young = time.monotonic() - self._used < KEEP_SECONDS
        return young and not self.reader.at_eof() and not self.writer.is_closing()

    async def send(self, request: h11.Request, body: bytes) -> None:
        """Raises OSError."""
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            self.writer.write(self._protocol.send(event) or b"")
        await self.writer.drain()

    async def answer(self, limit: int) -> tuple[int, bytes]:
        """Status and body. Raises BrokenAnswer, TooLarge and OSError."""
        status, body = 0, bytearray()
        while True:
            match await self._event():
                case h11.Response(status_code=status, headers=headers):
                    if int(dict(headers).get(b"content-length", b"0")) > limit:
                        raise TooLarge(status)
                case h11.Data(data=part):
                    body += part
                    if len(body) > limit:
                        raise TooLarge(status)
                case h11.EndOfMessage():
                    return status, bytes(body)

    async def _event(self) -> object:
        try:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                self._protocol.receive_data(await self.reader.read(HEAD_LIMIT))
        except h11.RemoteProtocolError as error:
            raise BrokenAnswer(f"the answer is not HTTP/1.1, or ended too early: {error}") from error
        return event

    def stays(self) -> bool:
        """Whether the server keeps it after the answer; if so, it is ready for the next request."""
        if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
            return False
        self._protocol.start_next_cycle()
        self._used = time.monotonic()
        return True


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
        request = _request(place, len(body))
        async with asyncio.timeout(self._timeout), self._turns:
            connection = await self._connection(place)
            try:
                await connection.send(request, body)
                status, answer = await connection.answer(self._limit)
            except BaseException:
                self._discard(connection)
                raise
        if connection.stays():
            self._idle.setdefault((place.scheme, place.netloc), []).append(connection)
        else:
            self._discard(connection)
        return status, answer

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


def _request(place: SplitResult, size: int) -> h11.Request:
    """Raises BadUrl."""
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    headers = [
        ("Host", place.netloc.rpartition("@")[2]),
        ("Content-Type", "application/json"),
        ("Content-Length", str(size)),
        ("Accept", "*/*"),
    ]
    try:
        return h11.Request(method="POST", target=target, headers=headers)
    except (h11.LocalProtocolError, UnicodeError) as error:  # characters that no request may have
        raise BadUrl(f"{place.geturl()[:200]} is not the URL of an HTTP server") from error
