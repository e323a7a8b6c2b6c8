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
    """The line for the user. The traceback goes to debug.log."""
    path = Path(DEBUG)
    trace = "".join(traceback.format_exception(error))
    try:
        mode = "a" if path.exists() and path.stat().st_size < LIMIT else "w"
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n{trace}\n")
        report = f"please report it with {DEBUG}"
    except OSError:  # the folder is not writable, or the disk is full
        report = f"please run it again where {DEBUG} can be written, and report it with that file"
    return f"internal error: {plain(f'{type(error).__name__}: {error}')}; {report}"


def as_json(network: str) -> None:
    """Logged warnings and errors become objects, a line each, on stderr from now on."""
    from support.json_log import JsonLines

    for handler in logging.getLogger().handlers:
        if isinstance(handler, Lines):
            handler.setFormatter(JsonLines({"network": network}))


class Lines(logging.Handler):
    """Prints logged warnings and errors on stderr: as plain lines, or as its formatter says."""

    def __init__(self) -> None:
        """Handles warnings and errors."""
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one line, whatever foreign text it contains."""
        error = record.exc_info[1] if record.exc_info else None
        from asyncio import CancelledError  # takes 15 ms to import, and --help does not need it

        if isinstance(error, CancelledError):
            return  # grpc logs an error if coord ends while a call begins
        if self.formatter is not None:
            click.echo(self.format(record), err=True)
            return
        text = plain(record.getMessage())
        if error is not None:
            text = f"{text}: {worded(error)}"
        click.echo(f"coord: {text}", err=True)
