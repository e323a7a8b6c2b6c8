"""Serves the status page over HTTP: static files, the state as JSON, and its changes as server-sent events.

It is read-only: GET and HEAD, a fixed list of paths; nothing in a request is stored or run. The page may load scripts
and styles from here alone, and no other page may frame or read it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from coordinator.web.listening import Door, Handler, Names
from coordinator.web.store import Message, Store

STREAMS = 200
"""Viewers at the same time; more are told to come back later."""
BEAT_SECONDS = 15.0
"""How often a silent stream is written to, so that proxies keep it and its end is noticed."""
WRITE_SECONDS = 20.0
"""How long a viewer may take to receive a message before its stream is ended. It can come back where it was."""
CLOSE_SECONDS = 2.0
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Server": "bootcoord",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STATIC = Path(__file__).with_name("static")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Site:
    """The page of one network."""

    def __init__(self, store: Store, names: Names, came: Callable[[], None], left: Callable[[], None]) -> None:
        """names: under which the page may be asked for. came, left: are told of viewers."""
        self._store = store
        self._names = names
        self._came, self._left = came, left
        self._streams = 0
        self._ending = asyncio.Event()
        self.app = web.Application(middlewares=[self._checked], client_max_size=1024)
        self.app.on_response_prepare.append(_add_headers)
        self.app.add_routes([web.get(path, file) for path, file in _files().items()])
        self.app.add_routes([web.get("/state.json", self._state), web.get("/events", self._events, allow_head=False)])

    def end(self) -> None:
        """Tells the viewers that the command has ended."""
        self._ending.set()

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses host names that are not this page's. Another web site could point its own name here (DNS rebinding),
        and then read what is meant for this machine.
        """
        if not self._names.allow(request.headers.get("Host", "")):
            return web.Response(status=421, text="This name is not one of this status page: see coord's --web-name.\n")
        return await handler(request)

    async def _state(self, request: web.Request) -> web.Response:
        self._came()  # so that a request soon afterwards finds fresh data
        self._left()
        message = self._store.since("")
        text = message.data if message else "{}"
        return web.Response(text=text, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._streams >= STREAMS:
            text = f"{STREAMS} viewers are watching: try again in a minute.\n"
            return web.Response(status=503, text=text, headers={"Retry-After": "60"})
        known = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        self._streams += 1
        self._came()
        try:
            return await self._stream(request, known)
        finally:
            self._streams -= 1
            self._left()

    async def _stream(self, request: web.Request, known: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store",
                                               "X-Accel-Buffering": "no"})  # fmt: skip
        await response.prepare(request)
        try:
            async for text in self._texts(known):
                async with asyncio.timeout(WRITE_SECONDS):
                    await response.write(text.encode())
        except (ConnectionError, TimeoutError):
            if request.transport:
                request.transport.abort()
        return response

    async def _texts(self, known: str) -> AsyncIterator[str]:
        """The messages to one viewer, until the end."""
        yield ": hello\n\n"
        while not self._ending.is_set():
            if message := self._store.since(known):
                known = message.id
                yield _event(message)
                continue
            if not await self._news():
                yield ": still here\n\n"
        if message := self._store.since(known):
            yield _event(message)
        yield "event: end\ndata: {}\n\n"

    async def _news(self) -> bool:
        """Whether there is an update, or the end, before the next beat."""
        waits = [asyncio.ensure_future(self._store.news()), asyncio.ensure_future(self._ending.wait())]
        try:
            done, _ = await asyncio.wait(waits, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            for wait in waits:
                wait.cancel()


@asynccontextmanager
async def listening(site: Site, door: Door) -> AsyncIterator[None]:
    """Serves while the block runs."""
    site.app.middlewares.insert(0, door.hear)
    runner = web.AppRunner(
        site.app, access_log=None, handle_signals=False, keepalive_timeout=15, shutdown_timeout=CLOSE_SECONDS
    )
    await runner.setup()
    try:
        async with door.open(runner):
            yield
            site.end()
    finally:
        site.end()
        await runner.cleanup()


def _event(message: Message) -> str:
    return f"id: {message.id}\nevent: state\ndata: {message.data}\n\n"


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _files() -> Mapping[str, Handler]:
    """A handler for each file of the page, by its path. All are read once, and nothing else can be requested."""
    found = {f"/{path.relative_to(STATIC)}": _file(path) for path in sorted(STATIC.rglob("*")) if path.suffix in TYPES}
    return {"/": found["/index.html"], **found}


def _file(path: Path) -> Handler:
    body, kind = path.read_bytes(), TYPES[path.suffix]
    tag = hashlib.sha256(body).hexdigest()[:32]

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if any(one.value == tag for one in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return handle
