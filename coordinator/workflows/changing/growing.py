"""Writes the producers that an operator adds into the inventory file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from coordinator.errors import OperationFailed, UsageProblem
from coordinator.state.folder import StateFolder
from coordinator.state.placements import Placements
from inventory import syntax
from inventory.errors import InventoryError
from inventory.load import glance
from inventory.network import Network
from inventory.placed import Placed
from support.files import write_atomic


@dataclass(frozen=True)
class Draft:
    """An inventory file with one producer more, not written yet."""

    network: Network
    """As it will be."""
    _lines: bytes

    def write(self) -> None:
        """Writes the file. Raises OperationFailed."""
        source = self.network.source.resolve()
        try:
            write_atomic(source, self._lines, source.stat().st_mode & 0o777)
        except OSError as error:
            raise OperationFailed(f"{source} cannot be written: {error.strerror}") from error


def drafted(
    network: Network, account: str, host: str | None, remembered: Mapping[str, Placed], *, standby: bool = False
) -> Draft:
    """The network's inventory file with a later producer. remembered: where nodes are.

    Raises UsageProblem if the file would be wrong.
    """
    if wrong := syntax.account(account):
        raise UsageProblem(f"{account[:40]!r}: {wrong}")
    lines = ["", "[[producers.later]]", f'account = "{account}"']
    lines += [f'host = "{host}"'] if host else []
    lines += ["standby = true", ""] if standby else [""]
    source = network.source.resolve()
    try:
        text = source.read_bytes().rstrip() + b"\n" + "\n".join(lines).encode()
        trial = source.with_name(f".{source.name}.{os.getpid()}.new")  # beside it, for the paths that it names
        try:
            write_atomic(trial, text, source.stat().st_mode & 0o777)
            after = glance(trial, lambda _: remembered)
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        raise OperationFailed(f"{source} cannot be written: {error.strerror}") from error
    except InventoryError as error:
        raise UsageProblem(
            f"{network.source} would be wrong with [[producers.later]] {account}: "
            f"{'; '.join(str(problem) for problem in error.problems)}"
        ) from error
    return Draft(replace(after, source=network.source), text)


def unretired(network: Network, account: str, root: Path) -> Network:
    """Restores a retired producer's node in the state, and loads the inventory again."""
    if not StateFolder.exists(root, network.name):
        raise UsageProblem(f"{network.source}: {account} is to have no node (node = false)")
    with closing(StateFolder(root, network.name)) as state:
        placements = Placements(state.journal)
        if not any(placed.retired for placed in placements.all().values() if placed.account == account):
            raise UsageProblem(f"{network.source}: {account} is to have no node (node = false)")
        placements.retire(account, retired=False)
        found = placements.all()
    return glance(network.source, lambda _: found)
