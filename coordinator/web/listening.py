"""The status page's address, the names under which it may be requested, and a limit on connections."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from coordinator.errors import UsageProblem
from support.endpoint import Endpoint

DEFAULT = Endpoint("127.0.0.1", 8080)
"""Where `--web` alone listens, or on a free port if something else listens there."""
CONNECTIONS = 500
"""Connections at the same time; more are closed at once."""
FIRST_SECONDS = 10.0
"""How long a new connection may take to send its first request."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names:
    """The names under which the page may be requested: an address in digits, `localhost`, and those that are listed.

    DNS rebinding needs a DNS name of the attacker's, so any address in digits is safe.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names)}

    def allow(self, host: str) -> bool:
        """Whether a Host header (`name`, `name:port`, `[ipv6]:port`) is one of them."""
        try:
            name = Endpoint.parse(host if _has_port(host) else f"{host}:80").host.lower().rstrip(".")
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Refusal(asyncio.Protocol):
    """Closes a connection beyond the limit."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


@dataclass
class Door:
    """The page's listening socket."""

    socket: socket.socket
    url: str
    _silent: set[RequestHandler] = field(default_factory=set)
    """New connections that have not sent a request."""

    @classmethod
    def at(cls, endpoint: Endpoint | None) -> Door:
        """Listens at an endpoint; None: at DEFAULT, or on a free port of loopback. Raises UsageProblem."""
        if endpoint is not None:
            return cls._bound(endpoint)
        try:
            return cls._bound(DEFAULT)
        except _TakenError:
            return cls._bound(Endpoint(DEFAULT.host, 0))

    @classmethod
    def _bound(cls, endpoint: Endpoint) -> Door:
        try:
            found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise UsageProblem(f"--web: {endpoint.host} has no address on this machine ({error.strerror})") from error
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise _TakenError(f"--web: something else listens on {endpoint}: choose another port") from error
            raise UsageProblem(f"--web: cannot listen on {endpoint}: {error.strerror}") from error
        port = int(listener.getsockname()[1])
        return cls(listener, f"http://{Endpoint(_shown(endpoint.host), port)}/")

    @asynccontextmanager
    async def open(self, runner: web.AppRunner) -> AsyncIterator[None]:
        """Accepts connections while the block runs, up to CONNECTIONS."""
        server = cast(web.Server, runner.server)
        loop = asyncio.get_running_loop()

        def accept() -> asyncio.Protocol:
            if len(server.connections) >= CONNECTIONS:
                return _Refusal()
            handler = server()
            self._silent.add(handler)
            loop.call_later(FIRST_SECONDS, self._end_if_silent, handler)
            return handler

        listener = await loop.create_server(accept, sock=self.socket)
        try:
            yield
        finally:
            listener.close()

    @web.middleware
    async def hear(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Notes that a connection has sent a request."""
        self._silent.discard(request.protocol)
        return await handler(request)

    def _end_if_silent(self, connection: RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            if connection.transport is not None:
                connection.transport.abort()


class _TakenError(UsageProblem):
    """The port is taken."""


def _shown(host: str) -> str:
    """The host as a browser on this machine can dial it."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
