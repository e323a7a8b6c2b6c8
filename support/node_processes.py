"""The processes of a node, found by its folder: those started for it, and those that have its data open.

A nodeos may be started by a script that does not `exec` it, and outlive that script. So it is not enough that the
process that was started has ended. A node counts as stopped when none of its processes lives and no process has its
data open. Only processes started for the node are ever signalled. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from support.processes import GRACE, Process, StillRunningError, living, stop_all

RECORD = "process.json"
"""In a node's folder: its process. The file is there exactly while the node is meant to run."""

DATA = "data"
"""In a node's folder: nodeos' own."""

STATE = "state/shared_memory.bin"
"""In nodeos' own folder: what a living nodeos locks."""

_FLOCK = "hhqqi4x"
"""struct flock of fcntl(2), on 64-bit Linux."""


HERE = "/proc/self/cwd"
"""The folder in which a process works, by a name that every program can read."""


def place(folder: Path) -> str:
    """The name of a node's folder on nodeos' command line, by which its process is found.

    It is HERE if the path has blanks or letters beyond ASCII: nodeos reads the name of its genesis file only up to the
    first blank, and accepts only ASCII (seen).
    """
    name = str(folder)
    return name if name.isascii() and not any(letter.isspace() for letter in name) else HERE


def running(folder: Path) -> Process | None:
    """The living process of a node's folder: the recorded one, else one that was started and not recorded yet, else a
    nodeos that outlived the script that started it.
    """
    process = Process.read(folder / RECORD)
    if process and process.alive:
        return process
    return next((one for one in family(folder) if one.in_session_of(one)), None) or _outlived(folder)


def family(*folders: Path) -> tuple[Process, ...]:
    """All processes of these nodes: those in their sessions, and those with a node's folder on their command line,
    which may outlive the process that started them.
    """
    leaders = [process for folder in folders if (process := Process.read(folder / RECORD))]
    places = tuple(_told(str(folder)) for folder in folders)
    here = {os.path.realpath(folder) for folder in folders if place(folder) == HERE}

    def belongs(process: Process) -> bool:
        if any(process.in_session_of(leader) for leader in leaders):
            return True
        line = process.command_line
        return any(told in line for told in places) or (_told(HERE) in line and process.folder in here)

    return tuple(process for process in living() if process.pid != os.getpid() and belongs(process))


def _told(place: str) -> bytes:
    """Part of a command line."""
    return b"\0--config-dir\0" + os.fsencode(place) + b"\0"


def users(folder: Path) -> Iterator[Process]:
    """The processes that have files below a folder open, by any path. Only root sees this of other users' processes."""
    files = {key for path in folder.rglob("*") if (key := _key(path))}
    if files:
        yield from (process for process in living() if process.pid != os.getpid() and _open_files(process.pid) & files)


def owned(folder: Path) -> bool:
    """Whether a living process has the state in nodeos' own folder open. nodeos locks the state, and a second nodeos
    would call it dirty. Sees the processes of all users, also those in another container.
    """
    return _lock(folder) is not None


def check_unused(folder: Path) -> None:
    """Raises StillRunningError if another process has a node's data open, such as a nodeos that was started by hand."""
    user = next(users(folder / DATA), None)
    if user:
        raise StillRunningError(
            f"process {user.pid} ({user.name}) has files of {folder / DATA} open: stop that one first"
        )
    lock = _lock(folder / DATA)
    if lock is not None:
        who = f"process {lock} of another user" if lock > 0 else "a process of another user, or in a container,"
        raise StillRunningError(f"{who} has {folder / DATA} open: stop that one first")


def stop_node(folder: Path, grace: float = GRACE) -> None:
    """Stops all processes of a node. Raises StillRunningError when one does not end, PermissionError."""
    stop_all(lambda: family(folder), grace)


def stop_nodes(data: Path, grace: float = GRACE) -> tuple[str, ...]:
    """Stops every node of an agent's data folder, without the agent, and returns the names of those that ran.

    Stop the agent first: a living one would start them again. Raises StillRunningError, PermissionError.
    """
    folders = sorted(data.absolute().glob("nodes/*/"))
    ran = tuple(folder.name for folder in folders if running(folder))
    stop_all(lambda: family(*folders), grace)
    for folder in folders:
        check_unused(folder)
        (folder / RECORD).unlink(missing_ok=True)
    return ran


def _outlived(folder: Path) -> Process | None:
    """The nodeos that was started for the folder and has its state open, after the process that started it is gone."""
    lock = _lock(folder / DATA)
    return next((process for process in family(folder) if process.pid == lock), None) if lock else None


def _lock(folder: Path) -> int | None:
    """The pid of the process that has locked the state; None if it is not locked; 0 or less if the process cannot be
    seen from here.
    """
    try:
        handle = os.open(folder / STATE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _whence, _start, _length, pid = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else pid


def _open_files(pid: int) -> set[tuple[int, int]]:
    """Device and inode of each file that a process has open; none if we are not allowed to look."""
    try:
        return {key for handle in os.scandir(f"/proc/{pid}/fd") if (key := _key(Path(handle.path)))}
    except OSError:
        return set()


def _key(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
