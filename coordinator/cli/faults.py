"""Bugs in coord: one line for the user, and the traceback in debug.log for a report."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path

import click

from support.texts import plain

DEBUG = "debug.log"
LIMIT = 1 << 20
"""Bytes after which debug.log starts afresh."""


def worded(error: BaseException) -> str:
    """The line for the user; the traceback goes to debug.log."""
    path = Path(DEBUG)
    trace = "".join(traceback.format_exception(error))
    try:
        mode = "a" if path.exists() and path.stat().st_size < LIMIT else "w"
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n{trace}\n")
        report = f"please report it with {DEBUG}"
    except OSError:  # a folder that cannot be written to, or a full disk
        report = f"please run it again where {DEBUG} can be written, and report it with that file"
    return f"internal error: {plain(f'{type(error).__name__}: {error}')}; {report}"


class Lines(logging.Handler):
    """Warnings, and errors after which work continues, as lines of coord's own on stderr."""

    def __init__(self) -> None:
        """Handles warnings and errors."""
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one line, whatever text by others it contains."""
        error = record.exc_info[1] if record.exc_info else None
        from asyncio import CancelledError  # 15 ms to import, which --help need not take

        if isinstance(error, CancelledError):
            return  # grpc logs a call as a fault of its handler when coord ends while the call begins
        text = plain(record.getMessage())
        if error is not None:
            text = f"{text}: {worded(error)}"
        click.echo(f"coord: {text}", err=True)
