"""The seal: genesis, contracts, features, allocation, producers and votes, fixed once. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from antelope.abi import Abi
from antelope.errors import FormatError
from antelope.genesis import DEVELOPMENT_KEY, Genesis
from antelope.keys import PublicKey
from inventory import allocation, compare, election, syntax, versions
from inventory.contract_files import ContractFiles, Files
from inventory.errors import Problems
from inventory.fitness import fit
from inventory.load_limits import load_limits
from inventory.network import GENESIS_ACCOUNT, Network, UserSource
from inventory.proof import prove
from inventory.sealed import (
    FORMAT,
    LARGEST,
    Sealed,
    SealedContract,
    SealedProducer,
    SealedSponsor,
    SealedVote,
)


@dataclass(frozen=True)
class Collected:
    """What the seal needs besides the network: what hosts reported and what files contain."""

    eosio_key: str
    """The genesis node's public key. All keys are in the form EOS…"""
    account_keys: Mapping[str, str]
    """Of generated users and of producers, by account."""
    signing_keys: Mapping[str, str]
    """Of producers, by account."""
    features: Mapping[str, Any]
    """Hosts' answers to get_supported_protocol_features, by host."""
    contracts: ContractFiles
    now: datetime
    """With a time zone: UTC."""
    imported: Mapping[str, str] = field(default_factory=dict)
    """Users of an accounts.json, in the file's order, with their public keys."""


@dataclass(frozen=True)
class SealedBundle:
    """The sealed network and the files that its hashes refer to."""

    sealed: Sealed
    artifacts: Mapping[str, bytes]
    """By sha256 (hex)."""
    notes: tuple[str, ...]
    """Notes for the operator: features left out, missing votes."""


def seal(network: Network, collected: Collected) -> SealedBundle:
    """Seals the network. Raises InventoryError with everything that prevents it."""
    problems = Problems()
    imported = tuple(collected.imported)
    keys = _account_keys(network, collected)
    _check_keys(network, collected, keys, problems)
    problems.check(network.source)
    proof = prove(network, imported)
    problems.extend(proof.problems)
    found = fit(network, collected.contracts, collected.features, problems)
    genesis = _genesis(network, collected, problems)
    problems.check(network.source)
    rows = allocation.allocate(network, allocation.holdings(network, imported), keys)
    system = Abi.parse(collected.contracts.deployed[GENESIS_ACCOUNT][1])
    limits = load_limits(network, len(rows), system, problems)
    problems.check(network.source)
    artifacts: dict[str, bytes] = {}
    sealed = Sealed(
        format=FORMAT,
        network=network.name,
        chain_id=genesis.chain_id(),
        genesis=json.loads(genesis.to_json()),
        symbol=str(network.symbol),
        max_supply=network.max_supply,
        issue=network.issue,
        boot_contract=_contract(network.boot_contract.account, collected.contracts.boot, artifacts),
        contracts=tuple(
            _contract(c.account, collected.contracts.deployed[c.account], artifacts) for c in network.contracts
        ),
        system_accounts=_system_accounts(network, collected),
        features=found.features,
        allocation=_keep(rows.artifact, artifacts),
        accounts=len(rows),
        producers=_producers(network, collected),
        proxies=network.votes.proxies,
        votes=tuple(SealedVote(v.voter, v.proxy, v.producers) for v in election.ballots(network, imported)),
        sections=compare.sections(network),
        sponsor=_sponsor(network),
        privileged=found.privileged,
        load=limits,
    )
    if (size := len(sealed.canonical())) > LARGEST:
        said = f"the sealed document has {size} bytes, and {LARGEST} are possible"
        problems.add("votes.voters", said, "have fewer accounts vote")
    problems.check(network.source)
    return SealedBundle(sealed, artifacts, (*proof.notes, *found.notes))


def _account_keys(network: Network, collected: Collected) -> dict[str, str]:
    """The key of every account that is not from a CSV, which has its own keys."""
    return {**collected.imported, **collected.account_keys}


def _check_keys(network: Network, collected: Collected, known: Mapping[str, str], problems: Problems) -> None:
    """Every account has a valid key, and no two signers share one."""
    _check_eosio_key(network, collected, problems)
    _check_signing_keys(network, collected, problems)
    users = allocation.user_names(network, tuple(collected.imported))
    if network.users.source is UserSource.ACCOUNTS_JSON:
        _check_imported(network, users, problems)
    producers = sorted(producer.account for producer in network.producers)
    missing = [account for account in (*users, *producers, *_sponsors(network)) if account not in known]
    if missing:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        problems.add("users", f"{len(missing)} accounts have no key: {shown}", "their hosts' agents make them")
    reported = (
        collected.account_keys,
        collected.imported,
        collected.signing_keys,
        {GENESIS_ACCOUNT: collected.eosio_key},
    )
    for account, key in (pair for keys in reported for pair in keys.items()):
        _check_key(account, key, problems)


def _check_signing_keys(network: Network, collected: Collected, problems: Problems) -> None:
    owners = {collected.eosio_key: GENESIS_ACCOUNT}
    for producer in network.producers:
        key = collected.signing_keys.get(producer.account)
        if key is None:
            problems.add("producers", f"{producer.account} has reported no signing key", "is its host's agent there?")
        elif key in owners:
            problems.add("producers", f"{producer.account} signs with the key of {owners[key]}", "each needs its own")
        else:
            owners[key] = producer.account


def _check_imported(network: Network, users: Sequence[str], problems: Problems) -> None:
    """Checks that the boot may create the names of an accounts.json's users, and that there are as many as planned."""
    producers = {producer.account for producer in network.producers}
    deployed = {source.account for source in network.contracts}
    for account in users:
        if wrong := syntax.account(account):
            problems.add("users.accounts_json", wrong)
        elif account in producers:
            problems.add("users.accounts_json", f"{account} is also a producer", "rename the producer")
        elif account in _sponsors(network):
            problems.add("users.accounts_json", f"{account} is also the sponsor", "rename the sponsor")
        elif account in deployed:
            problems.add("users.accounts_json", f"{account} is also in contracts.list", "rename one")
    if len(users) < max(1, network.users.count):
        problems.add(
            "users.count",
            f"the accounts.json has {len(users)} users",
            "it must have at least that many, and at least one",
        )


def _sponsors(network: Network) -> tuple[str, ...]:
    return (network.parties.sponsor.account,) if network.parties.sponsor else ()


def _check_eosio_key(network: Network, collected: Collected, problems: Problems) -> None:
    if collected.eosio_key == DEVELOPMENT_KEY:
        problems.add(
            "genesis", "the genesis node has nodeos' public development key", "its agent must make one of its own"
        )
    wanted = network.genesis.initial_key
    if wanted is not None and str(PublicKey.parse(wanted)) != collected.eosio_key:
        hint = f"remove it, or write {collected.eosio_key}"
        problems.add("genesis.initial_key", "is not the key that the genesis node made", hint)


def _check_key(account: str, key: str, problems: Problems) -> None:
    try:
        PublicKey.parse(key)
        if not key.startswith("EOS"):
            problems.add("users", f"{account}: {key} is not in the form EOS…")
    except FormatError as error:
        problems.add("users", f"{account}: {error}")


def _genesis(network: Network, collected: Collected, problems: Problems) -> Genesis:
    """The genesis. Its timestamp is on a half second and not in the future: nodeos makes no block before it."""
    plan, now = network.genesis, collected.now.astimezone(UTC)
    if plan.timestamp is None:
        start = now.replace(microsecond=now.microsecond // 500_000 * 500_000)
    else:
        start = datetime.fromisoformat(plan.timestamp).replace(tzinfo=UTC)
    genesis = Genesis(start, PublicKey.parse(collected.eosio_key), plan.configuration)
    if start > now:
        problems.add(
            "genesis.timestamp",
            f"{plan.timestamp} is in the future",
            "remove it: nodeos makes no block before that time",
        )
    return genesis


def _system_accounts(network: Network, collected: Collected) -> tuple[str, ...]:
    deployed = [source.account for source in network.contracts]
    wasms = (collected.contracts.deployed[account][0] for account in deployed)
    return versions.system_accounts(wasms, deployed, network.system_accounts)


def _contract(account: str, files: Files, artifacts: dict[str, bytes]) -> SealedContract:
    wasm, abi = files
    return SealedContract(account, _keep(wasm, artifacts), _keep(abi, artifacts))


def _sponsor(network: Network) -> SealedSponsor | None:
    found = network.parties.sponsor
    if found is None:
        return None
    return SealedSponsor(found.account, found.parties, found.ram, found.net, found.cpu, found.liquid)


def _keep(data: bytes, artifacts: dict[str, bytes]) -> str:
    digest = hashlib.sha256(data).hexdigest()
    artifacts[digest] = data
    return digest


def _producers(network: Network, collected: Collected) -> tuple[SealedProducer, ...]:
    return tuple(
        SealedProducer(
            account=producer.account,
            account_key=collected.account_keys[producer.account],
            signing_key=collected.signing_keys[producer.account],
            url=producer.url,
            location=producer.location,
            elected=producer.elected,
        )
        for producer in network.producers
    )
