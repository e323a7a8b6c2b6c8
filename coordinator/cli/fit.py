"""Text for people: on a terminal, lines that are too long are broken between words; elsewhere they stay whole."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable

import click

from coordinator.report.tables import wrapped


def terminal_width() -> int | None:
    """Columns of the terminal; None if the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(lines: Iterable[str]) -> None:
    """Prints them."""
    width = terminal_width()
    for line in lines:
        for part in wrapped(line, width):
            click.echo(part)
