"""What parties attest: checked by anybody who has their account's key, with nothing of ours but these few lines."""

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
"""Bytes of a document."""


@dataclass(frozen=True)
class Attestation:
    """An attestation, judged."""

    wrong: str
    """Why it does not count; empty: it does."""
    ok: bool = False
    """Whether its party found the chain as it was sealed."""
    block: int = 0
    replaced: tuple[str, ...] = ()
    """Accounts whose contracts were, as it found, what the producers made of them since."""


def check(attested: Attested, party: Party, sealed: Sealed) -> Attestation:
    """Whose it is, what it is about, and what it says."""
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


def count(attested: Mapping[str, Attested], parties: Iterable[Party], sealed: Sealed) -> tuple[int, int]:
    """How many of how many parties attest that the chain is as it was sealed.

    Those count who follow the chain: a node of it was found at their endpoint. Anybody who is invited can register.
    """
    members = [party for party in parties if party.accepted and (party.found or party.name in attested)]
    found = [check(attested[party.name], party, sealed) for party in members if party.name in attested]
    return sum(one.ok and not one.wrong for one in found), len(members)
