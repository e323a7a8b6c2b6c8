"""Limits the size of nodes' logs, in a small process that outlives the agent.

nodeos appends to its log file directly, so it never blocks on a reader and loses nothing. This process only moves old
content aside. Run as `python -m support.nodelogs DATA`; a second process for the same folder ends at once.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

from support.locks import FileLock, LockedError
from support.node_processes import RECORD
from support.processes import Process, find, start, stop

LIMIT = 16 * 1024 * 1024
"""Size in bytes from which a log is moved to NAME.1, replacing its content. A node's logs take at most about twice
this.
"""

_COLLAPSE_RANGE = 0x08
"""FALLOC_FL_COLLAPSE_RANGE of linux/falloc.h."""

LOOK = 2.0
"""Seconds between two looks."""

IDLE = 4.0
"""The process ends after this many seconds without a living node."""

LOG = "log/nodeos.log"
"""The log's path within a node's folder."""


def rotate(log: Path, limit: int = LIMIT) -> bool:
    """Moves the log's content to NAME.1 if it is longer than limit bytes; whether it was. Raises OSError.

    The writer keeps its handle, which must append (O_APPEND). The rest that does not fill a block of the file system
    stays in the log. Nothing is lost if the file system can remove a file's beginning in one step (ext4, xfs).
    Otherwise a line that is written between the copy and the truncation is lost.
    """
    with log.open("r+b") as source:
        size = os.fstat(source.fileno()).st_size
        if size <= limit:
            return False
        block = os.fstatvfs(source.fileno()).f_bsize
        whole = size // block * block
        aside = log.with_name(f".{log.name}.new")
        with aside.open("wb") as target:
            _copy(source, target, whole)
            if not _cut_beginning(source.fileno(), whole):
                shutil.copyfileobj(source, target)
                source.truncate(0)
        aside.replace(log.with_name(f"{log.name}.1"))
    return True


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size and (part := source.read(min(size, 1 << 20))):
        target.write(part)
        size -= len(part)


def _cut_beginning(handle: int, size: int) -> bool:
    """Removes the file's first size bytes. Returns whether the file system can do that."""
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return int(fallocate(handle, _COLLAPSE_RANGE, 0, size)) == 0


def ensure(data: Path) -> None:
    """Starts the process for this data folder's logs unless it runs. Raises OSError."""
    lock = FileLock(data / "nodes" / ".logs.lock")
    try:
        lock.acquire()
    except LockedError:
        return
    lock.release()  # If two are started at once, the lock decides.
    root = Path(__file__).resolve().parent.parent
    command = (sys.executable, "-S", "-m", __name__, str(data))  # -S: only the standard library, half the memory
    environment = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    start(command, output=data / "nodes" / ".logs.log", folder=data, environment=environment)


def end(data: Path) -> None:
    """Ends the process for this data folder's logs, after its nodes were stopped. Raises StillRunningError."""
    keeper = find("-m", __name__, str(data))
    if keeper:
        stop(keeper)


def keep(data: Path, limit: int = LIMIT) -> None:
    """Limits the logs while a node lives, or until SIGTERM."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    last_life = time.monotonic()
    while time.monotonic() - last_life < IDLE and not ended.is_set():
        for folder in (data / "nodes").glob("*/"):
            process = Process.read(folder / RECORD)
            if process and process.alive:
                last_life = time.monotonic()
            try:
                rotate(folder / LOG, limit)
            except FileNotFoundError:
                continue  # not started yet, or just removed with its data
            except OSError as error:  # the disk is full: emptying the log helps
                sys.stderr.write(f"{folder / LOG}: {error}; emptied\n")
                os.truncate(folder / LOG, 0)
        ended.wait(LOOK)


def main() -> int:
    """Runs the keeper for the data folder named on the command line; its exit status."""
    data = Path(sys.argv[1])
    try:
        with FileLock(data / "nodes" / ".logs.lock"):
            keep(data)
    except LockedError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
