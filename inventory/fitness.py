"""Checks, before anything is sealed, whether contracts, protocol features and nodeos fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antelope.abi import Abi
from antelope.errors import FormatError
from antelope.features import DIGESTS, codename
from antelope.intrinsics import closed
from antelope.wasm import imports
from inventory import boot_contract, features, offers, versions
from inventory.contract_files import ContractFiles
from inventory.errors import Problems
from inventory.network import GENESIS_ACCOUNT, ContractSource, Network
from inventory.sealed import SealedFeature

MSIG = "eosio.msig"


@dataclass(frozen=True)
class Fit:
    """The result of the check."""

    features: tuple[SealedFeature, ...]
    """In the order of activation; empty while the genesis node's nodeos is not known."""
    privileged: tuple[str, ...]
    """Accounts besides eosio that become privileged, sorted."""
    notes: tuple[str, ...]
    """What the operator should know, though nothing is wrong."""


def fit(network: Network, files: ContractFiles, supported: Mapping[str, Any], problems: Problems) -> Fit:
    """Checks them, and adds a problem for each thing that would fail after the seal.

    supported: the answers of hosts' nodeos to get_supported_protocol_features, by host, as far as they are known.
    """
    before = len(problems.found)
    abis = {source.account: _read(source, files.deployed[source.account], problems) for source in network.contracts}
    boot = _read(network.boot_contract, files.boot, problems)
    if len(problems.found) > before:
        return Fit((), (), ())
    _boot(network, boot, files, problems)
    _offers(network, abis, files, problems)
    _msig(network, files, supported, problems)
    privileged = tuple(sorted(account for account, abi in abis.items() if abi and _privileged(network, account, abi)))
    chosen, notes = _features(network, files, supported, problems)
    return Fit(chosen, privileged, (*_remarks(network, files), *notes))


def whose(source: ContractSource) -> str:
    """A contract in an error message: its account and its file."""
    return f"{source.account} ({source.wasm or 'bundled'})"


def _read(source: ContractSource, files: tuple[bytes, bytes], problems: Problems) -> Abi | None:
    """The ABI, or None when code or ABI cannot be read."""
    wasm, abi = files
    try:
        imports(wasm)
    except FormatError as error:
        problems.add("contracts", f"{whose(source)}: {error}")
    try:
        return Abi.parse(abi)
    except FormatError as error:
        problems.add("contracts", f"{whose(source)}: {error}")
    return None


def _boot(network: Network, abi: Abi | None, files: ContractFiles, problems: Problems) -> None:
    wasm, which = files.boot[0], network.boot_contract.wasm or "the bundled one"
    if abi is not None and boot_contract.ACTIVATE not in abi.actions:
        problems.add("contracts.boot", f"{which} has no action {boot_contract.ACTIVATE}", "name another, or none")
    elif reason := boot_contract.unusable(wasm):
        problems.add("contracts.boot", f"{which} {reason}", "name another, or none")
    elif wasm == files.deployed[GENESIS_ACCOUNT][0]:
        problems.add("contracts.boot", f"{which} is the system contract itself, which comes later", "name another")


def _offers(network: Network, abis: Mapping[str, Abi | None], files: ContractFiles, problems: Problems) -> None:
    """Every contract can be set, and used as the boot uses it."""
    for source in network.contracts:
        abi = abis[source.account]
        if abi is None:
            continue
        for what in offers.lacking(source.account, abi):
            problems.add("contracts", f"{whose(source)}: {what}", "use a newer version of it")
        if large := offers.too_large(files.deployed[source.account][0], abi, network.genesis.configuration):
            problems.add("contracts", f"{whose(source)}: {large}")


def _msig(network: Network, files: ContractFiles, supported: Mapping[str, Any], problems: Problems) -> None:
    """Whether eosio.msig will be able to execute proposals, including one that replaces the system contract."""
    source = next(one for one in network.contracts if one.account == MSIG)
    if versions.executes_deferred(files.deployed[MSIG][0]):
        signing = {node.host for node in network.nodes if node.role.signs}
        for host, answer in supported.items():
            if host in signing and versions.never_defers(names(answer)):
                problems.add(
                    "nodeos",
                    f"that of host {host} supports SAVANNA, so it never executes a deferred transaction; "
                    f"{whose(source)} executes proposals through them",
                    "set contracts.directory to a folder with an eosio.msig that executes inline, as that of the "
                    "system contracts from 3.5 on does (docs/contracts.md)",
                )
        return
    size = network.genesis.configuration["max_inline_action_size"]
    if size < versions.INLINE_MSIG_LEAST:
        problems.add(
            "genesis.configuration.max_inline_action_size",
            f"{size} is too small for {whose(source)}, which executes proposals inline",
            f"{versions.INLINE_MSIG_LEAST} or more lets a proposal replace the system contract",
        )


def names(answer: Any) -> tuple[str, ...]:
    """The features' names in an answer to get_supported_protocol_features; none when it cannot be read."""
    try:
        return tuple(codename(entry) for entry in answer)
    except (TypeError, KeyError):
        return ()


def _privileged(network: Network, account: str, abi: Abi) -> bool:
    if account == GENESIS_ACCOUNT:
        return False  # it is active from the first block on
    written = next(source.privileged for source in network.contracts if source.account == account)
    return versions.executes_for_others(account, abi) if written is None else written


def _features(
    network: Network, files: ContractFiles, supported: Mapping[str, Any], problems: Problems
) -> tuple[tuple[SealedFeature, ...], tuple[str, ...]]:
    """The features to activate, checked to open every contract's imports."""
    home = network.genesis_node.host
    if home not in supported:
        return (), ()
    before = len(problems.found)
    unbearable = features.unbearable(files.deployed[MSIG][0]) | _unsupported(supported, home)
    chosen, notes = features.choose(network.features, supported[home], unbearable, problems)
    if len(problems.found) == before:
        _imports(network, files, chosen, names(supported[home]), unbearable, problems)
    return chosen, notes


def _unsupported(supported: Mapping[str, Any], home: str) -> dict[str, str]:
    """The features that the genesis node supports and another host's nodeos does not, which would stop that nodeos."""
    lacking: dict[str, str] = {}
    for host, answer in supported.items():
        if host != home:
            reason = f"the nodeos of host {host} does not support it"
            lacking |= dict.fromkeys(set(names(supported[home])) - set(names(answer)), reason)
    return lacking


def _imports(
    network: Network,
    files: ContractFiles,
    chosen: tuple[SealedFeature, ...],
    supported: tuple[str, ...],
    unbearable: Mapping[str, str],
    problems: Problems,
) -> None:
    """nodeos refuses code with an import that no active feature opens. If a feature that is not known here is active,
    unknown imports are accepted, because that feature may open them.
    """
    active = [feature.name for feature in chosen]
    newer = not set(active) <= DIGESTS.keys()
    for source in network.contracts:
        needed: dict[str, list[str]] = {}
        for name, feature in closed(imports(files.deployed[source.account][0]), active).items():
            needed.setdefault(feature, []).append(name)
        for feature, imported in needed.items():
            what = f"{whose(source)} imports {', '.join(imported)}"
            if not feature and newer:
                continue
            if not feature:
                problems.add("contracts", f"{what}, which no feature known here opens", "use an older version of it")
            elif feature not in supported:
                problems.add("contracts", f"{what}, and this nodeos lacks {feature}, which opens that", "use another")
            elif feature in unbearable:
                problems.add("contracts", f"{what}, and {feature}, which opens that, cannot be: {unbearable[feature]}")
            else:
                problems.add("system.features", f"lacks {feature}: {what}, which it opens", f"add {feature}")


def _remarks(network: Network, files: ContractFiles) -> list[str]:
    """Notes on behaviour that differs from older versions."""
    remarks = list(network.contract_notes)
    if versions.claims_through_vaulta(files.deployed[GENESIS_ACCOUNT][0]):
        remarks.append(
            "this eosio.system takes claimrewards, and REX deposits, from core.vaulta alone: coord claim "
            "does nothing, and agent claim is refused (docs/contracts.md)"
        )
    return remarks
