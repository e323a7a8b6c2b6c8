"""Reads an inventory file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from inventory import resolve_accounts, resolve_contracts, resolve_parties
from inventory.columns import UserRows
from inventory.errors import InventoryError, Problem, Problems
from inventory.model import Inventory
from inventory.network import Network, Users, UserSource
from inventory.parse import MISSING, structure
from inventory.placed import Placed
from inventory.resolve import resolve
from inventory.toml_text import LARGEST, BadToml, read_toml
from inventory.users_file import Progress, read_users

Remembered = Callable[[str], Mapping[str, Placed]]
"""Returns the places of the nodes of the network of that name; empty if it is not sealed."""


def nowhere(network: str) -> Mapping[str, Placed]:
    """No placements: the network is unknown here."""
    return {}


def load(path: str | Path, progress: Progress | None = None, remembered: Remembered = nowhere) -> Network:
    """The network that an inventory file describes. Raises InventoryError with everything that is wrong with it.

    Besides the file it reads only the users.csv that the file names (and reports that to progress). A plan that cannot
    work is a mistake as well: see `prove`.
    """
    from inventory.proof import prove  # numpy takes 0.1 s to import, and `glance` does not need it

    problems = Problems()
    inventory, network = _resolved(path, problems, remembered)
    if network.users.source is UserSource.CSV:
        network = replace(network, users=_read_users(network, problems, progress))
    resolve_accounts.overlaps(network.users, (*network.producers, *network.later), problems)
    resolve_parties.overlap_users(network.parties, network.users, network.producers, problems)
    resolve_contracts.overlaps(inventory.contracts, network, problems)
    problems.check(path)
    problems.extend(prove(network).problems)
    problems.check(path)
    return network


def glance(path: str | Path, remembered: Remembered = nowhere) -> Network:
    """As `load`, for commands that do not plan a boot. It does not prove that the plan can work, and reads a users' CSV
    only when its rows are asked for; mistakes in the CSV raise InventoryError then.
    """
    problems = Problems()
    _, network = _resolved(path, problems, remembered)
    file = network.users.file
    if network.users.source is UserSource.CSV and file and not file.is_file():
        problems.add("users.csv", f"{file} is not a file")
    problems.check(path)
    return network


def _read_users(network: Network, problems: Problems, progress: Progress | None) -> Users:
    file = network.users.file
    assert file is not None  # noqa: S101 (a CSV is a file)
    columns = read_users(file, network.symbol, network.stake, problems, progress)
    return replace(network.users, rows=UserRows(lambda: columns))


def _resolved(path: str | Path, problems: Problems, remembered: Remembered) -> tuple[Inventory, Network]:
    inventory, found = structure(_read(Path(path)))
    problems.extend(found)
    if inventory is None:
        raise InventoryError(path, problems.found)
    problems.told([problem.path for problem in found if problem.message == MISSING])
    return inventory, resolve(inventory, Path(path).absolute(), problems, remembered(inventory.network.name))


def _read(path: Path) -> dict[str, Any]:
    def refuse(message: str, hint: str = "") -> InventoryError:
        return InventoryError(path, [Problem("", message, hint)])

    try:
        found = path.stat()
        if not S_ISREG(found.st_mode) and not S_ISDIR(found.st_mode):  # reading a pipe or a device may never end
            raise refuse("is not a file")
        if found.st_size > LARGEST:
            raise refuse(f"is larger than {LARGEST >> 20} MiB", "is this an inventory?")
        data = path.read_bytes()
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    try:
        return read_toml(data)
    except BadToml as error:
        raise refuse(str(error)) from error
