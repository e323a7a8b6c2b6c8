"""Writes files atomically, copies and removes folders."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

_PIECE = 1 << 20


def write_atomic(path: Path, data: bytes, mode: int = 0o644, *, lasting: bool = True) -> None:
    """Replaces the file atomically. After a crash it holds either the old or the new bytes. Raises OSError.

    lasting=False: does not wait until the bytes are on the disk. After a crash of the machine the file may then be old
    or empty. The wait takes 0.1 s on a disk to which nodes write their state.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:32]}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def copy_atomic(source: Path, target: Path) -> None:
    """Copies a file, readable by all. An existing target is replaced once the copy is complete. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:32]}.")
    temporary = Path(name)
    try:
        with source.open("rb") as old, os.fdopen(handle, "wb") as new:
            os.fchmod(new.fileno(), 0o644)
            shutil.copyfileobj(old, new, _PIECE)
            new.flush()
            os.fsync(new.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_folder(path: Path) -> None:
    """Removes a folder with its content, if it exists; for a link, also its target. Raises OSError."""
    if path.exists():
        shutil.rmtree(path.resolve())
    if path.is_symlink():
        path.unlink()


def copy_folder(source: Path, target: Path) -> None:
    """Copies a folder with modes and times, without its sockets. Holes in files stay holes: nodeos' database has a
    gigabyte of them. Raises OSError; FileExistsError if the target exists.
    """

    def unlike(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if (Path(folder) / name).is_socket()}

    shutil.copytree(source, target, symlinks=True, ignore=unlike, copy_function=_copy)


def _copy(source: str, target: str) -> str:
    with Path(source).open("rb") as old, Path(target).open("wb") as new:
        size, at = os.fstat(old.fileno()).st_size, 0
        while at < size:
            try:
                start = os.lseek(old.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:  # only a hole follows
                    raise
                break
            at = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            old.seek(start)
            new.seek(start)
            for begin in range(start, at, _PIECE):
                new.write(old.read(min(_PIECE, at - begin)))
        new.truncate(size)
    shutil.copystat(source, target)
    return target
