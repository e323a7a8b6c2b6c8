"""Whether an inventory still says what was sealed."""

from __future__ import annotations

from coordinator.errors import UsageProblem
from coordinator.state.folder import StateFolder
from inventory.compare import compare
from inventory.contract_files import read_own
from inventory.network import Network

INSTEAD = {
    "producers": "a new producer joins by coord invite",
    "contracts": "coord upgrade replaces a contract, with the producers' approval",
    "users": "further accounts are created by transactions",
}
"""What to do instead of editing a sealed section."""


def sealed_edits(network: Network, state: StateFolder) -> tuple[str, ...]:
    """Sections of the inventory that differ from what was sealed, each with what to do, in one line."""
    sealed = state.sealed
    if sealed is None:
        return ()
    boot_contract, own = read_own(network)
    parts = compare(sealed, network, own, boot_contract, state.inputs.rows_digest)
    return tuple(f"{part}: undo the edit{f'; {INSTEAD[part]}' if part in INSTEAD else ''}" for part in parts)


def check_unchanged(network: Network, state: StateFolder) -> None:
    """Raises UsageProblem when the inventory differs from what was sealed."""
    if edits := sealed_edits(network, state):
        raise UsageProblem(
            f"{network.source}: these sections can no longer change, because the network is sealed: {'. '.join(edits)}"
        )
