"""Checks that an inventory still matches what was sealed."""

from __future__ import annotations

from coordinator.advising import typed
from coordinator.errors import UsageProblem
from coordinator.state.folder import StateFolder
from inventory.compare import compare
from inventory.contract_files import read_own
from inventory.network import Network
from inventory.sealed import Sealed


def _instead(section: str) -> str:
    """What to do instead of editing a sealed section, after a semicolon; empty: nothing can be done."""
    match section:
        case "producers":
            return f"; a new producer is added by {typed('producer', 'add', 'ACCOUNT')} (docs/changing.md)"
        case "contracts":
            upgrade = typed("upgrade", "--account", "ACCOUNT", "--wasm", "FILE", "--abi", "FILE")
            return f"; {upgrade} replaces a contract, with the producers' approval"
        case "users":
            return "; further accounts are created by transactions"
    return ""


def sealed_edits(network: Network, state: StateFolder, sealed: Sealed | None = None) -> tuple[str, ...]:
    """Sections of the inventory that differ from what was sealed, each with a hint, in one line.

    sealed: the sealed network, if it is not in the state folder yet.
    """
    sealed = sealed or state.sealed
    if sealed is None:
        return ()
    boot_contract, own = read_own(network)
    parts = compare(sealed, network, own, boot_contract, state.inputs.rows_digest)
    return tuple(f"{part}: undo the edit{_instead(part)}" for part in parts)


def check_unchanged(network: Network, state: StateFolder, sealed: Sealed | None = None) -> None:
    """Raises UsageProblem if the inventory differs from what was sealed. sealed: as in `sealed_edits`."""
    if edits := sealed_edits(network, state, sealed):
        raise UsageProblem(
            f"{network.source}: these sections can no longer change, because the network is sealed: {'. '.join(edits)}"
        )
