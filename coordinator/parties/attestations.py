"""Checks parties' attestations. Anybody who knows a party's account key can check them the same way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from antelope.errors import AntelopeError
from antelope.keys import PublicKey, Signature
from antelope.names import check_name
from antelope.strict_json import read_json
from coordinator.parties.store import Attested, Party
from inventory.sealed import Sealed

LIMIT = 1 << 20
"""Maximum size of a document, in bytes."""


@dataclass(frozen=True)
class Attestation:
    """The result of checking an attestation."""

    wrong: str
    """Why it does not count; empty if it counts."""
    ok: bool = False
    """Whether the party found the chain to be as sealed."""
    block: int = 0
    replaced: tuple[str, ...] = ()
    """Accounts whose contracts the producers have replaced since the seal, as the party found."""


def check(attested: Attested, party: Party, sealed: Sealed) -> Attestation:
    """Checks the signature and the network that it is about, and reads the result."""
    if len(attested.document) > LIMIT:
        return Attestation(f"{party.name}'s attestation is larger than {LIMIT} bytes")
    digest = hashlib.sha256(attested.document.encode()).digest()
    try:
        signed = Signature.parse(attested.signature).recover(digest) == PublicKey.parse(str(party.account_key))
        found = read_json(attested.document, size=LIMIT)
        about = (found["network"], found["chain_id"], found["manifest"])
        block, fine = int(found["block"]["num"]), found["ok"] is True
        replaced = {check_name(str(one["account"])) for one in found.get("replaced", ())}
        if not 0 < block < 2**32:
            raise ValueError(block)
    except (AntelopeError, ArithmeticError, ValueError, KeyError, TypeError, RecursionError):
        return Attestation(f"{party.name}'s attestation cannot be read")
    if not signed:
        return Attestation(f"{party.name}'s attestation is not signed with the key of {party.account}")
    if about != (sealed.network, sealed.chain_id, sealed.manifest):
        return Attestation(f"{party.name}'s attestation is about another network")
    contracts = {contract.account for contract in sealed.contracts}
    return Attestation("", fine, block, tuple(sorted(replaced & contracts)))


def count(checked: Mapping[str, Attestation], parties: Iterable[Party]) -> tuple[int, int]:
    """How many parties attest that the chain is as sealed, and how many could.

    checked: by party. Only parties that follow the chain count: a node of this chain answered at their endpoint, or
    they have attested. Registering alone is not enough, because anybody who is invited can register.
    """
    members = [party for party in parties if party.accepted and (party.found or party.name in checked)]
    found = [checked[party.name] for party in members if party.name in checked]
    return sum(one.ok and not one.wrong for one in found), len(members)
