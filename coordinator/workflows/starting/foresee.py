"""What a plan can check before a boot: contracts and this machine's nodeos. Other hosts are left to the preflight."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.advising import near, typed
from coordinator.hosts.contracts import Origin, features_of, judge_contracts
from coordinator.hosts.preflight.nodeos import try_out
from coordinator.hosts.preflight.told import told
from coordinator.hosts.preflight.trials import trials
from coordinator.state.folder import SEALED
from inventory.errors import InventoryError
from inventory.network import BUNDLED, ContractSource, Host, Network
from inventory.sealed import Sealed, SealedContract, SealedLimits
from support.bundled import BundledError


@dataclass(frozen=True)
class Foreseen:
    """The contracts with their hashes, and warnings for the operator."""

    origins: tuple[Origin, ...]
    notes: tuple[str, ...]
    sealed: bool = False
    limits: SealedLimits | None = None
    """What blocks may hold while the accounts are created; None if that stays as in the genesis."""


def foresee(network: Network, sealed: Sealed | None, report: Callable[[str], None]) -> Foreseen:
    """Checks the contracts; after the seal, returns the sealed ones. report: is told if the bundle has to be fetched.

    Starts this machine's nodeos briefly if the inventory names one. Raises InventoryError with everything that would
    fail after the seal.
    """
    if sealed is not None:
        return Foreseen(tuple(_sealed(network, sealed)), (), sealed=True, limits=sealed.load)
    seen = _looks(network)
    supported = _supported(network, seen)
    known = _known(supported)
    wrong = tuple(f"{host}: {told(look)}" for host, look in seen.items() if "error" in look)
    try:
        judged = judge_contracts(network, known, report)
    except BundledError as error:
        return Foreseen((), (f"the contracts could not be checked: {error}", *wrong))
    if judged.problems:
        raise InventoryError(near(network.source), judged.problems)
    unknown = [host for host in supported if host not in known and host not in seen]
    asked = (f"the nodeos of {', '.join(unknown)} is checked by {typed('preflight')}",) if unknown else ()
    return Foreseen(judged.origins, (*judged.notes, *wrong, *asked), limits=judged.limits)


def check_contracts(network: Network, root: Path, report: Callable[[str], None]) -> None:
    """Checks what can be checked before any host is asked or anything is created, as `foresee` does. Raises
    InventoryError.
    """
    if (root / network.name / SEALED).is_file():
        return
    try:
        judged = judge_contracts(network, _known(_supported(network, _looks(network))), report)
    except BundledError:
        return  # the preflight reports it, with the hosts' own problems
    if judged.problems:
        raise InventoryError(near(network.source), judged.problems)


def _looks(network: Network) -> dict[str, dict[str, Any]]:
    """What this machine's nodeos says, by host; without those that are bundled."""
    return {host.name: _look(network, host) for host in _running(network) if host.local and host.nodeos != BUNDLED}


def _supported(network: Network, seen: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The protocol features of each host that runs nodes; None where they are unknown."""
    return {host.name: features_of(host, seen.get(host.name)) for host in _running(network)}


def _known(supported: Mapping[str, Any]) -> dict[str, Any]:
    return {host: answer for host, answer in supported.items() if answer is not None}


def _running(network: Network) -> list[Host]:
    used = {node.host for node in network.nodes}
    return [host for host in network.hosts if host.name in used]


def _look(network: Network, host: Host) -> dict[str, Any]:
    trial = trials(network, host)[:1]  # one is enough to find its features
    folder = tempfile.gettempdir()
    return try_out({"command": [host.nodeos], "data": folder, "user": "", "drop": False, "trials": trial})


def _sealed(network: Network, sealed: Sealed) -> Iterator[Origin]:
    sources = {source.account: source for source in network.contracts}
    yield _origin(sealed.boot_contract, network.boot_contract, "before the system contract")
    for contract in sealed.contracts:
        yield _origin(contract, sources.get(contract.account))


def _origin(contract: SealedContract, source: ContractSource | None, purpose: str = "") -> Origin:
    path = source.wasm if source else None
    return Origin(contract.account, purpose, str(path or BUNDLED), contract.wasm, contract.abi)
