"""Whether what a party brings can be taken up: pure checks, each with its reason in one line."""

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
    """Why not, in one line."""


@dataclass(frozen=True)
class Rules:
    """What the network is like, as far as a newcomer can collide with it."""

    network: str
    reach: Reach
    """How near an endpoint may be."""
    manifest: str
    """Hex; empty: not sealed yet."""
    chain_id: str
    """Hex; empty: not sealed yet."""
    belongs: Callable[[str], str]
    """Whose an account is already, in a few words; empty: nobody's."""
    owned: Callable[[str], str]
    """The public key of an account of the allocation; empty: it is none."""
    keys: Mapping[str, str]
    """Public keys of the network's own signers, and whose each is."""
    endpoints: Mapping[str, str]
    """p2p endpoints of the network's own nodes, and whose each is."""
    sealed: Mapping[str, tuple[str, str]]
    """Parties that the boot waited for, by account: account key and signing key, as sealed."""


@dataclass(frozen=True)
class Brought:
    """A registration whose form is right."""

    account: str
    account_key: str
    signing_key: str
    endpoint: str
    nodeos: str
    pinned: str


def read(registration: pb.Registration, challenge: Challenge) -> Brought:
    """Checks form and proofs of possession. Raises Unacceptable."""
    if wrong := syntax.account(registration.account):
        raise Unacceptable(f"account {wrong}")
    account_key = _key(registration.account_key, registration.account, challenge, "account")
    signing_key = _key(registration.signing_key, registration.account, challenge, "block-signing")
    if not _VERSION.fullmatch(registration.nodeos_version or "unknown"):
        raise Unacceptable("nodeos_version is not the text of a version")
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
    """Checks it against the network, the party itself as it is known, and the other parties. Raises Unacceptable.

    addresses: what the endpoint's host resolves to: by another name it is still somebody's endpoint.
    """
    if brought.account != party.account:
        raise Unacceptable(f"{party.name} was invited for account {party.account}, not {brought.account}")
    if party.account_key is not None and brought.account_key != party.account_key:
        raise Unacceptable(f"{party.name} has registered with another account key before; it cannot change")
    _check_account(brought, rules)
    _check_addresses(brought.endpoint, addresses, rules)
    port = Endpoint.parse(brought.endpoint).port
    endpoints = (brought.endpoint, *(str(Endpoint(address, port)) for address in addresses))
    for endpoint in endpoints:
        if owner := rules.endpoints.get(endpoint):
            raise Unacceptable(f"p2p endpoint {brought.endpoint} is that of {owner}")
    for key in (brought.account_key, brought.signing_key):
        if (owner := rules.keys.get(key)) and owner != brought.account:
            raise Unacceptable(f"key {key} is that of {owner}")
    for other in others:
        _check_other(brought, endpoints, other)
    if brought.pinned and rules.manifest and brought.pinned != rules.manifest:
        raise Unacceptable(
            f"the manifest that you pinned ({brought.pinned[:16]}…) is not this network's ({rules.manifest[:16]}…): "
            "ask the operator which is right"
        )


def _check_account(brought: Brought, rules: Rules) -> None:
    sealed = rules.sealed.get(brought.account)
    if sealed is not None:
        if sealed != (brought.account_key, brought.signing_key):
            raise Unacceptable(f"the keys of {brought.account} were sealed before the boot: keep those")
    elif key := rules.owned(brought.account):
        if key != brought.account_key:
            raise Unacceptable(f"account {brought.account} has another key in this network's allocation")
    elif owner := rules.belongs(brought.account):
        raise Unacceptable(f"account {brought.account} is {owner}")


def _check_addresses(endpoint: str, addresses: Sequence[str], rules: Rules) -> None:
    if not addresses:
        raise Unacceptable(f"the host of p2p endpoint {endpoint} has no address that this network finds")
    for address in addresses:
        reach = reach_of(address)
        if reach is None or not rules.reach.bears(reach):
            kind = reach or "one that nobody can dial"
            raise Unacceptable(
                f"p2p endpoint {endpoint}: address {address} is {kind}, and this network takes {rules.reach} ones"
            )


def _check_other(brought: Brought, endpoints: Sequence[str], other: Party) -> None:
    if brought.account == other.account:
        raise Unacceptable(f"account {brought.account} is that of party {other.name}")
    if other.endpoint in endpoints:
        raise Unacceptable(f"p2p endpoint {brought.endpoint} is that of party {other.name}")
    for key in {brought.account_key, brought.signing_key} & {other.account_key, other.signing_key}:
        raise Unacceptable(f"key {key} is that of party {other.name}")


def _key(key: pb.Key, account: str, challenge: Challenge, kind: str) -> str:
    if key.account != account:
        raise Unacceptable(f"the {kind} key is for another account than {account}")
    try:
        parsed = PublicKey.parse(key.public_key)
    except AntelopeError as error:
        raise Unacceptable(f"the {kind} key: {error}") from error
    if str(parsed) != key.public_key:
        raise Unacceptable(f"the {kind} key is not in the form EOS…")
    if key.public_key == DEVELOPMENT_KEY:
        raise Unacceptable(f"the {kind} key is nodeos' public development key: everybody has its private key")
    if not proves(key, challenge):
        raise Unacceptable(f"the {kind} key comes without a valid proof of possession")
    return key.public_key


def _endpoint(text: str) -> str:
    """In one form, so that the same endpoint is not taken twice."""
    try:
        endpoint = Endpoint.parse(text)
    except ValueError:
        raise Unacceptable(f"p2p endpoint {text[:80]!r} is not HOST:PORT") from None
    if wrong := syntax.address(endpoint.host) or syntax.port(endpoint.port):
        raise Unacceptable(f"p2p endpoint: {wrong}")
    return f"{endpoint.host.lower().removesuffix('.')}:{endpoint.port}"
