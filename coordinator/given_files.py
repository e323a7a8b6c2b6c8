"""Files that a user names on the command line: those that are read, up to a limit, and those that are written."""

from __future__ import annotations

from pathlib import Path

import click

from coordinator.errors import UsageProblem

GIVEN = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
"""A file that is read. It may be a pipe: `--passphrase-file <(pass show backup)`."""
SHORT = 64 << 10
"""Maximum bytes of a file that a person writes: a passphrase, a few public keys."""


def read_given(path: Path, most: int) -> bytes:
    """The file's content. Reading stops after that many bytes: a device may be endless. Raises UsageProblem."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageProblem(f"{path}: {error.strerror}") from error
    if len(data) > most:
        raise UsageProblem(f"{path}: is larger than {_size(most)}; is it the right file?")
    return data


def read_short(path: Path) -> str:
    """The text of a file that a person wrote. Raises UsageProblem."""
    try:
        return read_given(path, SHORT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{path}: is not UTF-8 text (byte {error.start}); is it the right file?") from error


def check_written(path: Path) -> None:
    """Refuses, before any work, a file that cannot be written. Folders are not made: a disk may be missing that should
    be mounted there. Raises UsageProblem.
    """
    if not path.parent.is_dir():
        raise UsageProblem(f"{path}: there is no folder {path.parent}; make it first, or name another file")
    if path.exists() and not path.is_file():
        raise UsageProblem(f"{path} is not a file: name another one")


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"
