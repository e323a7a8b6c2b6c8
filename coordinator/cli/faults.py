"""Faults of coord's own: a line for the user, and the traceback in debug.log for a report."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path

import click

from support.texts import plain

DEBUG = "debug.log"
LIMIT = 1 << 20
"""Bytes after which debug.log begins anew."""


def worded(error: BaseException) -> str:
    """The line's words; the traceback is written down."""
    path = Path(DEBUG)
    trace = "".join(traceback.format_exception(error))
    try:
        mode = "a" if path.exists() and path.stat().st_size < LIMIT else "w"
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n{trace}\n")
        report = f"please report it with {DEBUG}"
    except OSError:  # a folder that cannot be written to, or a full disk
        report = f"please type it again where {DEBUG} can be written, and report it with that"
    return f"internal error: {plain(f'{type(error).__name__}: {error}')}; {report}"


class Lines(logging.Handler):
    """Warnings, and faults that work goes on after, as coord's own lines on stderr."""

    def __init__(self) -> None:
        """Of warnings and what is worse."""
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """One line, whatever words of others are in it."""
        text = plain(record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {worded(record.exc_info[1])}"
        click.echo(f"coord: {text}", err=True)
