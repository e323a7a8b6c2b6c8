"""How a passphrase gets to `coord`: typed, or from a file. It is never an argument, because every user of the machine
can see arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from coordinator.errors import UsageProblem
from coordinator.given_files import GIVEN, read_short

F = TypeVar("F", bound=Callable[..., Any])


def passphrase_options(command: F) -> F:
    """--passphrase and --passphrase-file."""
    asked = click.option("--passphrase", is_flag=True, help="Ask for a passphrase.")
    read = click.option(
        "--passphrase-file", type=GIVEN, metavar="FILE", help="The passphrase is this file's first line."
    )
    return asked(read(command))


def passphrase(asked: bool, file: Path | None, *, new: bool) -> str:
    """The passphrase; empty if none of the options was given. new: it is asked for twice. Raises UsageProblem."""
    if file:
        found = read_short(file).partition("\n")[0].rstrip("\r")
        if not found:
            raise UsageProblem(f"{file}: its first line is empty; the passphrase belongs there")
        return found
    if asked:
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True))
    return ""
