"""What all `coord` commands share: the inventory, --state, --json."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coordinator.advising import reads

if TYPE_CHECKING:  # saves a quarter of the time that --help may take
    from click.shell_completion import CompletionItem

    from inventory.network import Network
    from inventory.placed import Placed

F = TypeVar("F", bound=Callable[..., Any])


DEFAULT_STATE = Path(".coord")
LARGE = 32 << 20
"""Size of a users' CSV, in bytes, above which reading it shows progress."""
CLEAR = "\r\033[K"
"""Clears the terminal's current line."""


@dataclass(frozen=True)
class Settings:
    """The options that come before the command."""

    state: Path
    """Holds one folder per network, with its state."""

    def placements(self, network: str) -> Mapping[str, Placed]:
        """Where the nodes of a sealed network are, by name; empty if nothing is known here."""
        from coordinator.state.placements import placements_of

        return placements_of(self.state, network)

    @property
    def words(self) -> tuple[str, ...]:
        """The options as they are typed."""
        return () if self.state == DEFAULT_STATE else ("--state", str(self.state))


def inventory_argument(command: F) -> F:
    """INVENTORY, loaded: the command gets `network`. A large users' CSV is read only when its rows are needed."""
    return click.argument("network", metavar="INVENTORY", type=InventoryFile(Proof.NONE))(command)


def proved_inventory_argument(proof: Proof) -> Callable[[F], F]:
    """INVENTORY, loaded, its users read and its plan proved: the command gets `network`."""
    return click.argument("network", metavar="INVENTORY", type=InventoryFile(proof))


def json_option(command: F) -> F:
    """--json."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document, and nothing else, on stdout."
    )(command)


class Amount(click.FloatRange):
    """A number above zero. Rejects `nan`, which click's ranges accept."""

    def __init__(self, most: float | None = None) -> None:
        super().__init__(0, most, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails on anything else."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


class Proof(Enum):
    """When a command must prove that the plan can work, including every row of its users."""

    NONE = "none"
    UNSEALED = "unsealed"
    """Only before the seal; afterwards the inventory is compared with the seal."""
    ALWAYS = "always"


class InventoryFile(click.ParamType["Network"]):
    """The path of an inventory; converts to the Network that it describes."""

    name = "inventory"

    def __init__(self, proof: Proof) -> None:
        super().__init__()
        self._proof = proof

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Network:
        """Raises InventoryError, with every error of the file."""
        from inventory.load import glance, load  # slow to import, and --help does not need it
        from inventory.network import Network

        if isinstance(value, Network):
            return value
        path = _file(Path(value), ctx)
        if ctx and ctx.resilient_parsing:  # a shell asks what can be typed next
            return glance(path)
        settings = ctx.find_object(Settings) if ctx else None
        reads(str(value))

        def remembered(name: str) -> Mapping[str, Placed]:
            return settings.placements(name) if settings else {}

        if self._proof is not Proof.ALWAYS:
            network = glance(path, remembered)
            sealed = settings is not None and (settings.state / network.name / "sealed.json").exists()
            if self._proof is Proof.NONE or sealed:
                return network
        with reading() as progress:
            return load(path, progress, remembered)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The existing inventories."""
        from coordinator.cli.inventories import inventories

        return inventories(incomplete)


def _file(path: Path, ctx: click.Context | None) -> Path:
    """The inventory's file: what was typed, or that of the devnet whose name was typed."""
    from inventory.devnet import FILE

    settings = ctx.find_object(Settings) if ctx else None
    if settings is None or path.exists() or len(path.parts) != 1:
        return path
    own = settings.state / path / FILE
    return own if own.is_file() else path


@contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """Shows on stderr how far a large users' CSV is read; on a terminal in one line, which is cleared at the end."""
    terminal, shown = sys.stderr.isatty(), -1

    def progress(done: int, size: int) -> None:
        nonlocal shown
        tenths = 10 * done // size if size >= LARGE else -1
        if tenths > shown:
            shown = tenths
            click.echo(f"{CLEAR if terminal else ''}reading the users' CSV: {10 * tenths} %", nl=not terminal, err=True)

    yield progress
    if terminal and shown >= 0:
        click.echo(CLEAR, nl=False, err=True)
