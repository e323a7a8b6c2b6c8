"""Reads an inventory file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inventory.errors import InventoryError, Problem, Problems
from inventory.network import Network
from inventory.parse import MISSING, structure
from inventory.proof import prove
from inventory.resolve import resolve
from inventory.toml_text import LARGEST, BadToml, read_toml


def load(path: str | Path) -> Network:
    """The network that an inventory file describes. Raises InventoryError with everything that is wrong with it.

    Apart from the file itself it reads only the users.csv that the file names. A plan that cannot work is a mistake as
    well: see `prove`.
    """
    shown, document = str(path), _read(Path(path))
    problems = Problems()
    inventory, found = structure(document)
    problems.extend(found)
    if inventory is None:
        raise InventoryError(shown, problems.found)
    problems.told([problem.path for problem in found if problem.message == MISSING])
    network = resolve(inventory, Path(path).absolute(), problems)
    problems.check(shown)
    problems.extend(prove(network).problems)
    problems.check(shown)
    return network


def _read(path: Path) -> dict[str, Any]:
    def refuse(message: str, hint: str = "") -> InventoryError:
        return InventoryError(path, [Problem("", message, hint)])

    try:
        if path.stat().st_size > LARGEST:
            raise refuse(f"is larger than {LARGEST >> 20} MiB", "is this an inventory?")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    try:
        return read_toml(data)
    except BadToml as error:
        raise refuse(str(error)) from error
