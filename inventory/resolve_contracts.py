"""Finds the contracts' files: those that the inventory names, those of its directory, or the bundled ones."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, islice
from pathlib import Path

from inventory import syntax
from inventory.boot_contract import contract_folders, find
from inventory.errors import Problems
from inventory.model import ContractsTable, NamedContractTable
from inventory.network import GENESIS_ACCOUNT, ContractSource, Network

MSIG = "eosio.msig"
DEPLOYED = ("eosio.token", MSIG, GENESIS_ACCOUNT)
"""The contracts of every network, in the order of deployment; eosio's own is the system contract."""

BUNDLED_CONTRACTS = frozenset({*DEPLOYED, "eosio.wrap"})

ALWAYS_PRIVILEGED = (GENESIS_ACCOUNT, MSIG)
"""Contracts that every boot needs."""


def contracts(
    table: ContractsTable, folder: Path, problems: Problems
) -> tuple[ContractSource, tuple[ContractSource, ...], tuple[str, ...]]:
    """The boot contract and the deployed contracts, from the files that are named, else from the directory, else from
    the bundle; and notes for the operator.
    """
    directory = _directory(table, folder, problems)
    sources = {account: _from_directory(account, directory, problems) for account in DEPLOYED}
    for index, entry in enumerate(table.list):
        path = f"contracts.list[{index}]"
        if wrong := syntax.contract_account(entry.account):
            problems.add(f"{path}.account", wrong)
        if entry.account in {earlier.account for earlier in table.list[:index]}:
            problems.add(f"{path}.account", f"{entry.account} is listed twice")
        if entry.privileged is False and entry.account in ALWAYS_PRIVILEGED:
            problems.add(f"{path}.privileged", f"{entry.account} cannot work without privileges", "remove it")
        sources[entry.account] = _written(entry, path, folder, directory, problems)
    boot, notes = _boot(table, folder, directory, sources, problems)
    used = [source.wasm for source in (boot, *sources.values()) if source.wasm]
    if directory is not None and not notes and not any(path.is_relative_to(directory) for path in used):
        problems.add(
            "contracts.directory",
            f"nothing in {directory} is a contract of this network",
            "it must contain eosio.token/eosio.token.wasm and so on",
        )
    if directory is not None and (left := _left(directory, boot, sources)):
        notes = (*notes, f"{directory} has further contracts, which contracts.list does not name: {', '.join(left)}")
    return boot, tuple(sources.values()), notes


def overlaps(table: ContractsTable, network: Network, problems: Problems) -> None:
    """Checks that no user has a contract's account, which the producers will govern. Needs the users' rows."""
    others = {producer.account for producer in network.producers}
    if network.parties.sponsor:
        others.add(network.parties.sponsor.account)
    for index, entry in enumerate(table.list):
        if entry.account in others or network.users.has(entry.account):
            path = f"contracts.list[{index}].account"
            problems.add(path, f"{entry.account} is also a user, a producer or the sponsor", "rename one")


def folder_of(account: str) -> str:
    """The name of a contract's folder and files."""
    return "eosio.system" if account == GENESIS_ACCOUNT else account


def _directory(table: ContractsTable, folder: Path, problems: Problems) -> Path | None:
    """contracts.directory, checked to contain something that will be used."""
    if table.directory is None:
        return None
    directory = folder / table.directory
    try:
        if not directory.is_dir():
            problems.add(
                "contracts.directory",
                f"{directory} is not a folder",
                "it must contain eosio.token/eosio.token.wasm and so on",
            )
            return None
        if any(contract_folders(directory)):
            return directory
        # `_from_directory` reports a folder of a single contract with a missing file.
        if any((directory / folder_of(account)).is_dir() for account in DEPLOYED):
            return directory
        nearer = _nearer(directory)
    except OSError as error:
        problems.add("contracts.directory", f"{directory} cannot be read: {error.strerror}")
        return None
    problems.add(
        "contracts.directory",
        f"{directory} has no folder with a contract in it",
        f"is it {nearer}?" if nearer else "it must contain eosio.token/eosio.token.wasm and so on",
    )
    return None


def _nearer(directory: Path) -> Path | None:
    """The directory that is probably meant: the one around this contract's folder, or one below."""
    if (directory / f"{directory.absolute().name}.wasm").is_file():
        return directory.absolute().parent
    below = chain(*(directory.glob(f"{depth}/*.wasm") for depth in ("*", "*/*", "*/*/*")))
    return next((file.parent.parent for file in islice(below, 1000) if file.stem == file.parent.name), None)


def _boot(
    table: ContractsTable,
    folder: Path,
    directory: Path | None,
    deployed: Collection[str],
    problems: Problems,
) -> tuple[ContractSource, tuple[str, ...]]:
    if table.boot is not None:
        return _files(table.boot.wasm, table.boot.abi, GENESIS_ACCOUNT, "contracts.boot", folder, problems), ()
    if directory is None:
        return ContractSource(GENESIS_ACCOUNT, None, None), ()
    found = find(directory, {folder_of(account) for account in deployed})
    if found.folder is not None:
        return ContractSource(GENESIS_ACCOUNT, *_pair(found.folder)), ()
    note = f"before the system contract the bundled eosio.bios is on eosio: {'; '.join(found.reasons)}"
    return ContractSource(GENESIS_ACCOUNT, None, None), (note,) if found.reasons else ()


def _left(directory: Path, boot: ContractSource, deployed: Collection[str]) -> list[str]:
    """The directory's eosio.* contracts that are not deployed, except boot contracts."""
    used = {"eosio.bios", "eosio.boot", *map(folder_of, deployed)}
    unused = (
        path.name for path in contract_folders(directory) if path.name not in used and _pair(path)[0] != boot.wasm
    )
    return [name for name in unused if name.startswith("eosio.")]


def _pair(folder: Path) -> tuple[Path, Path]:
    return folder / f"{folder.name}.wasm", folder / f"{folder.name}.abi"


def _from_directory(account: str, directory: Path | None, problems: Problems) -> ContractSource:
    """A folder of that name that lacks a file is a mistake, not a reason to take the bundled contract."""
    if directory is not None and (folder := directory / folder_of(account)).is_dir():
        files = _pair(folder)
        for path in files:
            if not path.is_file():
                problems.add(
                    "contracts.directory",
                    f"there is no {path}",
                    f"put it there, or remove {folder}: then the bundled contract is taken",
                )
        return ContractSource(account, *files)
    return ContractSource(account, None, None)


def _written(
    entry: NamedContractTable, path: str, folder: Path, directory: Path | None, problems: Problems
) -> ContractSource:
    if entry.wasm is not None and entry.abi is not None:
        return _files(entry.wasm, entry.abi, entry.account, path, folder, problems, entry.privileged)
    if entry.wasm is not None or entry.abi is not None:
        problems.add(path, "wasm and abi belong together", "write both, or neither")
    found = _from_directory(entry.account, directory, problems)
    if found.bundled and entry.account not in BUNDLED_CONTRACTS:
        problems.add(
            path, f"no contract for {entry.account} is bundled or in contracts.directory", "write its wasm and abi"
        )
    return ContractSource(entry.account, found.wasm, found.abi, entry.privileged)


def _files(
    wasm: str, abi: str, account: str, path: str, folder: Path, problems: Problems, privileged: bool | None = None
) -> ContractSource:
    for key, name in (("wasm", wasm), ("abi", abi)):
        if not (folder / name).is_file():
            problems.add(f"{path}.{key}", f"{folder / name} is not a file")
    return ContractSource(account, folder / wasm, folder / abi, privileged)
