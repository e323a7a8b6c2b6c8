"""Writes the producers that an operator adds into the inventory file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from coordinator.errors import OperationFailed, UsageProblem
from coordinator.state.folder import StateFolder
from coordinator.state.placements import Placements
from inventory import syntax
from inventory.errors import InventoryError
from inventory.load import glance
from inventory.network import Network
from inventory.placement import Placed
from support.files import write_atomic


def written(
    network: Network, account: str, host: str | None, remembered: Mapping[str, Placed], *, standby: bool = False
) -> Network:
    """Adds a later producer to the network's inventory file, and loads it again. remembered: where nodes are.

    Raises UsageProblem if the resulting file would be wrong. Then the file is not changed.
    """
    if wrong := syntax.account(account):
        raise UsageProblem(f"{account[:40]!r}: {wrong}")
    lines = ["", "[[producers.later]]", f'account = "{account}"']
    lines += [f'host = "{host}"'] if host else []
    lines += ["standby = true", ""] if standby else [""]
    source = network.source.resolve()
    try:
        before = source.read_bytes()
        trial = source.with_name(f".{source.name}.{os.getpid()}.new")
        try:
            write_atomic(trial, before.rstrip() + b"\n" + "\n".join(lines).encode(), source.stat().st_mode & 0o777)
            glance(trial, lambda _: remembered)
            trial.replace(source)
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        raise OperationFailed(f"{source} cannot be written: {error.strerror}") from error
    except InventoryError as error:
        raise UsageProblem(
            f"{network.source} would be wrong with [[producers.later]] {account}: "
            f"{'; '.join(str(problem) for problem in error.problems)}"
        ) from error
    return glance(network.source, lambda _: remembered)


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
