"""Unix sockets for one user, also in folders whose path exceeds a socket address (107 bytes, unix(7))."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

NAME = "control.sock"

_KEPT: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
"""From Python 3.13 on asyncio removes the file itself, and complains if its short path no longer exists."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(folder: Path, serve: Serve, limit: int) -> AsyncIterator[None]:
    """Serves the folder's socket (0600) while the block runs. limit: bytes of a line. Raises OSError."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends; asyncio's streams would print it as a fault
            await serve(reader, writer)

    path = folder / NAME
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with _short(folder) as short:
            server = await asyncio.start_unix_server(answer, path=short, limit=limit, **_KEPT)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def connect(folder: Path, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the folder's socket. limit: bytes of a line. Raises OSError if nothing serves it."""
    with _short(folder) as short:
        return await asyncio.open_unix_connection(short, limit=limit)


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """The socket's path through an open handle of its folder."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)
