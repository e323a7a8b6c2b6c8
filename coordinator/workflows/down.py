"""Stops a network: nodes and agents, even if agents no longer run; and removes its data if asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from coordinator.errors import OperationFailed
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.fleet import stop_hosts
from coordinator.state.folder import StateFolder
from inventory.network import Network
from support.files import remove_folder
from support.locks import FileLock, LockedError


def down(
    network: Network, root: Path, tell: Callable[[str], None], *, only: str | None = None, purge: bool = False
) -> Mapping[str, DeployError]:
    """Stops all hosts, or the one named. purge: also removes their data. tell: gets progress lines. Returns the hosts
    where it failed. Raises OperationFailed while another command works on the network, StillRunningError.
    """
    new = not (root / network.name).exists()
    state = StateFolder(root, network.name)
    try:
        with FileLock(state.folder / "lock"):
            failed = stop_hosts(state, network, only, purge, lambda host, text: tell(f"{host}: {text}"))
    except LockedError as error:
        raise OperationFailed(
            f"another coord is working on {network.name} (process {error.pid}): stop it first"
        ) from error
    finally:
        state.close()
    if new or (purge and not failed and not only):
        remove_folder(state.folder)
        if not new:
            tell(f"removed {state.folder}")
    return failed
