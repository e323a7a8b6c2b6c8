"""One request at a time on a host, whoever sends them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

LOCK = "/run/bootcoord.lock"


@contextlib.contextmanager
def alone(path: str = LOCK) -> Iterator[None]:
    """Holds a lock while the block runs, so that requests run one at a time. Leaves nothing behind.

    Only root can open it: anybody else could block all requests. It is removed while held, so a request that waited for
    the removed file must open the new one.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _same(handle, path):
                try:
                    yield
                finally:
                    os.unlink(path)
                return
        finally:
            os.close(handle)


def _same(handle: int, path: str) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
