"""What every `coord` command has in common: the inventory, --state, --json."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from coordinator.state.paths import near
from inventory.network import Network

F = TypeVar("F", bound=Callable[..., Any])


DEFAULT_STATE = Path(".coord")


@dataclass(frozen=True)
class Settings:
    """The options that come before the command."""

    state: Path
    """Holds one folder per network, with its state."""

    @property
    def typed(self) -> str:
        """How to run `coord` from the working folder, for commands that the user may copy."""
        program = Path(sys.argv[0])
        words = ["coord" if shutil.which("coord") == str(program.absolute()) else near(program)]
        if self.state != DEFAULT_STATE:
            words += ["--state", str(self.state)]
        return shlex.join(words)


def inventory_argument(command: F) -> F:
    """INVENTORY, loaded: the command gets `network`."""
    return click.argument("network", metavar="INVENTORY", type=InventoryFile())(command)


def json_option(command: F) -> F:
    """--json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else, on stdout."
    )(command)


class Amount(click.FloatRange):
    """A number above zero; `nan`, which passes every range, is rejected."""

    def __init__(self, most: float | None = None) -> None:
        super().__init__(0, most, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails on anything else."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class InventoryFile(click.ParamType[Network]):
    """The path of an inventory; converts to the Network that it describes."""

    name = "inventory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Network:
        """Raises InventoryError, with every error of the file."""
        from inventory.load import load  # slow to import, and --help does not need it

        return value if isinstance(value, Network) else load(Path(value))
