"""Which sealed sections of an inventory were edited after the seal, found by a digest per section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from inventory.network import Network, Users, UserSource
from inventory.sealed import Sealed, SealedContract

_Part = Callable[[Network], Any]


def _token(network: Network) -> Any:
    return [str(network.symbol), network.max_supply, network.issue, network.issue - network.users.total]


def _genesis(network: Network) -> Any:
    genesis = network.genesis
    raising = [] if genesis.raise_limits is None else [genesis.raise_limits]
    return [genesis.timestamp, sorted(genesis.configuration.items()), genesis.initial_key, *raising]


def _contracts(network: Network) -> Any:
    written = ([c.account, c.bundled] + ([] if c.privileged is None else [c.privileged]) for c in network.contracts)
    return [network.boot_contract.bundled, list(written)]


RowsDigest = Callable[[Users], str]
"""Returns `UserRows.digest` of a CSV's rows; empty for other users."""


def rows_digest(users: Users) -> str:
    """The digest from the rows themselves. Raises InventoryError if the CSV cannot be read."""
    return users.rows.digest if users.source is UserSource.CSV else ""


def _users(network: Network, digest: RowsDigest) -> Any:
    users = network.users
    # The place of an accounts.json may change; its content is in the allocation.
    return [users.source, users.count, users.seed, users.alpha, digest(users)]


def _producers(network: Network) -> Any:
    return [[p.account, p.url, p.location, p.elected, p.minimum] for p in network.producers]


def _votes(network: Network) -> Any:
    votes = network.votes
    written = [[vote.voter, vote.producers, vote.proxy] for vote in votes.written]
    return [votes.voters, written, votes.proxies, votes.proxied]


def _parties(network: Network) -> Any:
    found = network.parties
    if found.sponsor is None and not found.wait_for:
        return None
    return [asdict(found.sponsor) if found.sponsor else None, found.wait_for]


_PARTS: Mapping[str, _Part] = {
    "network": lambda network: network.name,
    "token": _token,
    "genesis": _genesis,
    "contracts": _contracts,
    "system": lambda network: [network.features, sorted(network.system_accounts)],
    "stake": lambda n: [n.stake.ram, n.stake.minimum, n.stake.liquid],
    "producers": _producers,
    "votes": _votes,
    "parties": _parties,
}


def sections(network: Network, digest: RowsDigest = rows_digest) -> dict[str, str]:
    """sha256 (hex) of each section's resolved values, by the section's name in the file; unused sections have none."""
    values = {name: part(network) for name, part in _PARTS.items()} | {"users": _users(network, digest)}
    return {
        name: hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()
        for name, value in values.items()
        if value is not None
    }


def compare(
    sealed: Sealed,
    network: Network,
    contracts: Mapping[str, tuple[bytes, bytes]] | None = None,
    boot_contract: tuple[bytes, bytes] | None = None,
    digest: RowsDigest = rows_digest,
) -> list[str]:
    """The sealed sections that the inventory now states differently; empty if nothing sealed was edited.

    contracts, boot_contract: the files (wasm, ABI) that the inventory itself names, which are compared, too. Bundled
    ones are left out: a newer bundle changes nothing in a sealed network. digest: of a users' CSV, if it is known.
    """
    now = sections(network, digest)
    different = [name for name in (*_PARTS, "users") if now.get(name) != sealed.sections.get(name)]
    given = dict(contracts or {})
    files = [(found, given[found.account]) for found in sealed.contracts if found.account in given]
    if boot_contract is not None:
        files.append((sealed.boot_contract, boot_contract))
    if "contracts" not in different and any(not _same(found, data) for found, data in files):
        different.append("contracts")
    return different


def _same(contract: SealedContract, files: tuple[bytes, bytes]) -> bool:
    return (contract.wasm, contract.abi) == tuple(hashlib.sha256(data).hexdigest() for data in files)
