"""Before the seal: asks hosts for keys and features, checks proofs of possession, and merges the answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from antelope.strict_json import read_json
from coordinator.agents.hub import Hub
from coordinator.agents.proofs import check_proofs
from coordinator.engine.node_specs import node_spec
from coordinator.errors import OperationFailed
from inventory.contract_files import read_contracts
from inventory.names import user_name
from inventory.network import GENESIS_ACCOUNT, Network, UserSource
from inventory.seal import Collected, SealedBundle, seal
from protos import coordination_pb2 as pb
from support import bundled
from support.possession import Challenge

COLLECT_SECONDS = 300.0
"""Enough for KEYS_AT_ONCE key pairs and a probe of nodeos on a slow host."""
KEYS_AT_ONCE = 20_000
"""Keys per request: a key takes about 170 bytes of an answer, which is limited to 8 MiB."""


@dataclass(frozen=True)
class PartyKeys:
    """The public keys (EOS…) of a party that the boot waited for."""

    account_key: str
    signing_key: str


@dataclass(frozen=True)
class Wanted:
    """What one host's agent is asked for."""

    host: str
    accounts: tuple[str, ...]
    signers: tuple[str, ...]
    import_file: str


def wanted(network: Network) -> tuple[Wanted, ...]:
    """One request per host that runs nodes. A producer's keys are made on its own host, the users' and eosio's on the
    genesis node's host.
    """
    bank = network.genesis_node.host
    used = dict.fromkeys(node.host for node in network.nodes)
    accounts: dict[str, list[str]] = {host: [] for host in used}
    signers: dict[str, list[str]] = {host: [] for host in used}
    signers[bank].append(GENESIS_ACCOUNT)
    for producer in (producer for producer in (*network.producers, *network.later) if not producer.party):
        accounts[network.holder(producer.account)].append(producer.account)
        signers[network.holder(producer.account)].append(producer.account)
    if network.parties.sponsor:
        accounts[bank].append(network.parties.sponsor.account)
    imported = ""
    if network.users.source is UserSource.GENERATED:
        accounts[bank] += [user_name(number) for number in range(network.users.count)]
    elif network.users.source is UserSource.ACCOUNTS_JSON:
        imported = str(network.users.file)
    return tuple(
        Wanted(host, tuple(accounts[host]), tuple(signers[host]), imported if host == bank else "") for host in used
    )


async def collect(network: Network, hub: Hub, parties: Mapping[str, PartyKeys] | None = None) -> SealedBundle:
    """Asks every host, and seals. parties: those in wait_for, by account; they proved their keys when they registered.
    Raises OperationFailed, InventoryError.
    """
    requests = wanted(network)
    found = await asyncio.gather(*(_ask(network, hub, request) for request in requests), return_exceptions=True)
    answers: dict[str, pb.Collected] = {}
    for request, answer in zip(requests, found, strict=True):
        if isinstance(answer, BaseException):
            raise answer
        answers[request.host] = answer

    def conclude() -> SealedBundle:
        return seal(network, merge(network, answers, datetime.now(UTC), parties or {}))

    return await asyncio.to_thread(conclude)


async def _ask(network: Network, hub: Hub, request: Wanted) -> pb.Collected:
    """One host's answers, with proved keys, requested in parts that fit into a message. Raises OperationFailed."""
    challenge = Challenge(network.name, "", secrets.token_bytes(32))  # no chain id exists yet
    collected = pb.Collected()
    for start in range(0, len(request.accounts) or 1, KEYS_AT_ONCE):
        body = pb.Collect(
            accounts=request.accounts[start : start + KEYS_AT_ONCE],
            signers=() if start else request.signers,
            import_file="" if start else request.import_file,
            nodeos=network.host(request.host).nodeos,
            nonce=challenge.nonce,
            network=challenge.network,
            nodes=() if start else _to_try(network, request.host),
        )
        result = await hub.links[request.host].task(body, deadline=COLLECT_SECONDS)
        if not result.ok:
            raise OperationFailed(f"{request.host}: {result.error}")
        # In a thread: checking thousands of signatures takes seconds, and must not block the event loop.
        await asyncio.to_thread(check_proofs, challenge, request.host, _keys(result.collected))
        collected.MergeFrom(result.collected)
    return collected


def _to_try(network: Network, host: str) -> list[pb.NodeSpec]:
    """The host's nodes, for its agent to start once as a trial: its systemd unit may permit less than preflight had.
    Local hosts have no unit, so the preflight's trial suffices.
    """
    nodes = [] if network.host(host).local else [node for node in network.nodes if node.host == host]
    return [node_spec(network, node) for node in nodes]


def merge(
    network: Network, answers: Mapping[str, pb.Collected], now: datetime, parties: Mapping[str, PartyKeys]
) -> Collected:
    """Merges the answers, by host, into everything that the seal needs. Raises InventoryError, BundledError."""
    account_keys = {account: party.account_key for account, party in parties.items()}
    signing_keys = {account: party.signing_key for account, party in parties.items()}
    imported: dict[str, str] = {}
    for answer in answers.values():
        account_keys |= _by_account(answer.accounts) | _by_account(answer.imported_producers)
        signing_keys |= _by_account(answer.signers)
        imported |= _by_account(answer.imported_users)
    return Collected(
        eosio_key=signing_keys.pop(GENESIS_ACCOUNT),
        account_keys=account_keys,
        signing_keys=signing_keys,
        imported=imported,
        features={host: read_json(answer.features_json) for host, answer in answers.items()},
        contracts=read_contracts(network, lambda: bundled.fetch().contracts),
        now=now,
    )


def _keys(collected: pb.Collected) -> tuple[pb.Key, ...]:
    return (*collected.accounts, *collected.signers, *collected.imported_users, *collected.imported_producers)


def _by_account(keys: Iterable[pb.Key]) -> dict[str, str]:
    return {key.account: key.public_key for key in keys}
