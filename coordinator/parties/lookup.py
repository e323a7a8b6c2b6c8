"""The addresses of parties' hosts: a stranger chooses the name, and perhaps runs the server that answers for it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Coroutine

SECONDS = 5.0

Resolve = Callable[[str], Coroutine[None, None, tuple[str, ...]]]
"""The IP addresses of a host; none when it is not found."""


async def resolve(host: str) -> tuple[str, ...]:
    """By the system's resolver, in a thread of its own: those that all share, others' slow answers would fill."""
    with contextlib.suppress(ValueError):
        return (str(ipaddress.ip_address(host)),)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def answered(found: tuple[str, ...]) -> None:
        if not answer.done():
            answer.set_result(found)

    def look() -> None:
        try:
            entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            entries = []
        found = tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(answered, found)

    threading.Thread(target=look, daemon=True).start()  # not waited for at the end
    return await answer


class Lookups:
    """One at a time for each party."""

    def __init__(self, resolver: Resolve = resolve) -> None:
        self._resolve = resolver
        self._running: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, party: str, host: str) -> tuple[str, ...]:
        """Of that host, once what the party asked for before is answered; none when that takes too long."""
        try:
            async with asyncio.timeout(SECONDS):
                while earlier := self._running.get(party):
                    await asyncio.wait([earlier])
                lookup = self._running[party] = asyncio.create_task(self._resolve(host))
                lookup.add_done_callback(lambda _: self._running.pop(party, None))
                return await asyncio.shield(lookup)
        except TimeoutError:
            return ()
