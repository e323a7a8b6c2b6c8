"""Reads the contracts that a network deploys: the user's own files, and those of the bundled runtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inventory.errors import Problems
from inventory.network import ContractSource, Network
from inventory.resolve_contracts import folder_of

Files = tuple[bytes, bytes]
"""A contract's wasm and its ABI as JSON."""

BUNDLED_BOOT = "eosio.bios"


@dataclass(frozen=True)
class ContractFiles:
    """The bytes of every contract."""

    boot: Files
    deployed: dict[str, Files]
    """By account."""


def read_contracts(network: Network, bundle: Callable[[], Path]) -> ContractFiles:
    """Every contract of the network. bundle: returns the folder with the bundled eosio.token/eosio.token.wasm and so
    on; called only if a bundled contract is used.

    Raises InventoryError naming every file that cannot be read.
    """
    problems = Problems()
    sources = (network.boot_contract, *network.contracts)
    shipped = bundle() if any(source.bundled for source in sources) else Path()
    boot = _read(network.boot_contract, shipped / BUNDLED_BOOT, problems)
    deployed = {
        source.account: _read(source, shipped / folder_of(source.account), problems) for source in network.contracts
    }
    problems.check(network.source)
    return ContractFiles(boot, deployed)


def read_own(network: Network) -> tuple[Files | None, dict[str, Files]]:
    """The contracts that the inventory itself names, for `compare`: the boot contract or None, and others by account.

    Raises InventoryError naming every file that cannot be read.
    """
    problems = Problems()
    boot = None if network.boot_contract.bundled else _read(network.boot_contract, Path(), problems)
    own = {source.account: _read(source, Path(), problems) for source in network.contracts if not source.bundled}
    problems.check(network.source)
    return boot, own


def _read(source: ContractSource, folder: Path, problems: Problems) -> Files:
    wasm = source.wasm or folder / f"{folder.name}.wasm"
    abi = source.abi or folder / f"{folder.name}.abi"
    found = []
    for path in (wasm, abi):
        try:
            found.append(path.read_bytes())
        except OSError as error:
            problems.add("contracts", f"{path} cannot be read: {error.strerror}")
            found.append(b"")
    return found[0], found[1]
