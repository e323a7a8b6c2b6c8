"""Whether an inventory still says what was sealed."""

from __future__ import annotations

from coordinator.errors import UsageProblem
from coordinator.state.folder import StateFolder
from inventory.compare import compare
from inventory.contract_files import read_own
from inventory.network import Network


def check_unchanged(network: Network, state: StateFolder) -> None:
    """Raises UsageProblem when the inventory differs from what was sealed."""
    sealed = state.sealed
    if sealed is None:
        return
    boot_contract, own = read_own(network)
    if parts := compare(sealed, network, own, boot_contract, state.inputs.rows_digest):
        raise UsageProblem(
            f"{network.source}: {', '.join(parts)} can no longer change: the network is sealed (chain "
            f"{sealed.chain_id[:16]}…). Undo the edit, or start over with: coord down --purge {network.source}"
        )
