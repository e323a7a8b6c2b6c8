"""Saves a stopped network of this machine, and restores it: for tests that all start from the same state."""

from __future__ import annotations

from pathlib import Path

from coordinator.errors import UsageProblem
from inventory.network import Network
from support.files import copy_folder, remove_folder


def save(network: Network, root: Path) -> None:
    """Copies all data of a network, and replaces an earlier copy. The network must be stopped.

    Raises UsageProblem if a host is not this machine.
    """
    if far := [host.name for host in network.hosts if not host.local]:
        raise UsageProblem(f"{', '.join(far)}: only a network whose hosts are all this machine can be saved and reset")
    forget(network, root)
    copy_folder(root / network.name, _saved(network, root))


def restore(network: Network, root: Path) -> None:
    """Puts the copy back. The network must be stopped. Raises UsageProblem if there is no copy."""
    saved = _saved(network, root)
    if not saved.is_dir():
        raise UsageProblem(f"{network.name} was never saved: save it before it is reset")
    remove_folder(root / network.name)
    copy_folder(saved, root / network.name)


def forget(network: Network, root: Path) -> None:
    """Removes the copy, if there is one."""
    if _saved(network, root).is_dir():
        remove_folder(_saved(network, root))


def _saved(network: Network, root: Path) -> Path:
    return root / f".{network.name}.saved"
