"""Resolves a host name that a stranger chose, whose DNS server may be the stranger's as well."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Coroutine

Resolve = Callable[[str], Coroutine[None, None, tuple[str, ...]]]
"""The IP addresses of a host; none when it is not found."""


async def resolve(host: str) -> tuple[str, ...]:
    """Asks the system's resolver in a separate thread, so that slow answers cannot occupy all shared threads."""
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
