"""Whether a party's registration is accepted: pure checks, each with its reason in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from antelope.errors import AntelopeError
from antelope.genesis import DEVELOPMENT_KEY
from antelope.keys import PublicKey
from coordinator.agents.proofs import proves
from coordinator.parties.store import Party
from inventory import syntax
from inventory.reach import Reach, reach_of
from protos import coordination_pb2 as pb
from support.endpoint import Endpoint
from support.possession import Challenge

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+()/:-]{0,99}", re.ASCII)
_MANIFEST = re.compile(r"([0-9a-f]{64})?", re.ASCII)


class Unacceptable(Exception):
    """The registration is rejected: the reason, in one line."""


@dataclass(frozen=True)
class Rules:
    """What a registration is checked against."""

    network: str
    reach: Reach
    """The narrowest reach that an endpoint may have."""
    manifest: str
    """Hex; empty before the seal."""
    chain_id: str
    """Hex; empty before the seal."""
    belongs: Callable[[str], str]
    """Who owns an account already, in a few words; empty if nobody does."""
    owned: Callable[[str], str]
    """The public key of an account of the allocation; empty if it is not in the allocation."""
    keys: Mapping[str, str]
    """Public keys of the network's own signers, each with its owner."""
    endpoints: Mapping[str, str]
    """p2p endpoints of the network's own nodes, each with its owner."""
    sealed: Mapping[str, tuple[str, str]]
    """Account key and signing key, as sealed, of the parties that the boot waited for; by account."""


@dataclass(frozen=True)
class Brought:
    """A well-formed registration."""

    account: str
    account_key: str
    signing_key: str
    endpoint: str
    nodeos: str
    pinned: str


def read(registration: pb.Registration, challenge: Challenge) -> Brought:
    """Checks the registration's form and its proofs of possession. Raises Unacceptable."""
    if wrong := syntax.account(registration.account):
        raise Unacceptable(f"account {wrong}")
    account_key = _key(registration.account_key, registration.account, challenge, "account")
    signing_key = _key(registration.signing_key, registration.account, challenge, "block-signing")
    if not _VERSION.fullmatch(registration.nodeos_version or "unknown"):
        raise Unacceptable("nodeos_version is not a version")
    if not _MANIFEST.fullmatch(registration.pinned_manifest):
        raise Unacceptable("the pinned manifest is not 64 hex digits")
    endpoint = _endpoint(registration.p2p_endpoint)
    return Brought(
        registration.account,
        account_key,
        signing_key,
        endpoint,
        registration.nodeos_version,
        registration.pinned_manifest,
    )


def check(brought: Brought, addresses: Sequence[str], party: Party, others: Sequence[Party], rules: Rules) -> None:
    """Checks it against the network, what the party registered before, and the other parties. Raises Unacceptable.

    others: at least those that have its account, or one of its keys or endpoints (`PartyStore.rivals`).
    addresses: what the endpoint's host resolves to, so that another name for a known endpoint is recognised.
    """
    if brought.account != party.account:
        raise Unacceptable(f"{party.name} was invited for account {party.account}, not {brought.account}")
    if party.account_key is not None and brought.account_key != party.account_key:
        raise Unacceptable(f"{party.name} has registered with another account key before; it cannot change")
    _check_account(brought, rules)
    _check_addresses(brought.endpoint, addresses, rules)
    endpoints = endpoints_of(brought, addresses)
    for endpoint in endpoints:
        if owner := rules.endpoints.get(endpoint):
            raise Unacceptable(f"p2p endpoint {brought.endpoint} belongs to {owner}")
    for key in (brought.account_key, brought.signing_key):
        if (owner := rules.keys.get(key)) and owner != brought.account:
            raise Unacceptable(f"key {key} belongs to {owner}")
    for other in others:
        _check_other(brought, endpoints, other)
    if brought.pinned and rules.manifest and brought.pinned != rules.manifest:
        raise Unacceptable(
            f"the manifest that you pinned ({brought.pinned[:16]}…) is not this network's ({rules.manifest[:16]}…): "
            "ask the operator which is right"
        )


def endpoints_of(brought: Brought, addresses: Sequence[str]) -> tuple[str, ...]:
    """Its endpoint as registered, then by each of its host's addresses."""
    port = Endpoint.parse(brought.endpoint).port
    return brought.endpoint, *(str(Endpoint(address, port)) for address in addresses)


def _check_account(brought: Brought, rules: Rules) -> None:
    sealed = rules.sealed.get(brought.account)
    if sealed is not None:
        if sealed[0] != brought.account_key:  # the other one changes by regproducer
            raise Unacceptable(f"the account key of {brought.account} was sealed before the boot and cannot change")
    elif key := rules.owned(brought.account):
        if key != brought.account_key:
            raise Unacceptable(f"account {brought.account} has another key in this network's allocation")
    elif owner := rules.belongs(brought.account):
        raise Unacceptable(f"account {brought.account} is {owner}")


def _check_addresses(endpoint: str, addresses: Sequence[str], rules: Rules) -> None:
    if not addresses:
        raise Unacceptable(f"the host of p2p endpoint {endpoint} does not resolve to an address")
    for address in addresses:
        reach = reach_of(address)
        if reach is None or not rules.reach.bears(reach):
            kind = reach or "one that cannot be dialled"
            raise Unacceptable(
                f"p2p endpoint {endpoint}: address {address} is {kind}, and this network accepts {rules.reach} ones"
            )


def _check_other(brought: Brought, endpoints: Sequence[str], other: Party) -> None:
    if brought.account == other.account:
        raise Unacceptable(f"account {brought.account} belongs to party {other.name}")
    if other.endpoint in endpoints:
        raise Unacceptable(f"p2p endpoint {brought.endpoint} belongs to party {other.name}")
    for key in {brought.account_key, brought.signing_key} & {other.account_key, other.signing_key}:
        raise Unacceptable(f"key {key} belongs to party {other.name}")


def _key(key: pb.Key, account: str, challenge: Challenge, kind: str) -> str:
    if key.account != account:
        raise Unacceptable(f"the {kind} key is for an account other than {account}")
    try:
        parsed = PublicKey.parse(key.public_key)
    except AntelopeError as error:
        raise Unacceptable(f"the {kind} key: {error}") from error
    if str(parsed) != key.public_key:
        raise Unacceptable(f"the {kind} key is not in the form EOS…")
    if key.public_key == DEVELOPMENT_KEY:
        raise Unacceptable(f"the {kind} key is nodeos' public development key: everybody has its private key")
    if not proves(key, challenge):
        raise Unacceptable(f"the {kind} key has no valid proof of possession")
    return key.public_key


def _endpoint(text: str) -> str:
    """The normal form, so that one endpoint cannot be registered twice."""
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        raise Unacceptable(f"p2p endpoint {text[:80]!r} is not HOST:PORT") from None
    if wrong := syntax.address(endpoint.host) or syntax.port(endpoint.port):
        raise Unacceptable(f"p2p endpoint: {wrong}")
    return f"{endpoint.host.lower().removesuffix('.')}:{endpoint.port}"
