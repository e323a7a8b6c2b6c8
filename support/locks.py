"""A lock file that one process holds until it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from support.errors import SupportError


class LockedError(SupportError):
    """Another process holds the lock."""

    def __init__(self, path: Path, pid: int | None) -> None:
        """pid: the process that holds it, if known."""
        super().__init__(f"{path} is held by process {pid}" if pid else f"{path} is held by another process")
        self.path = path
        self.pid = pid


class FileLock:
    """flock(2) on a file of its own, 0600. The lock ends with the process. Children do not inherit it."""

    def __init__(self, path: Path) -> None:
        """Does not lock yet."""
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> None:
        """Takes it, or raises LockedError at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(handle, 32).decode("ascii", "replace").strip()
            os.close(handle)
            raise LockedError(self.path, int(pid) if pid.isdigit() else None) from None
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        """Releases it. The file stays."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
