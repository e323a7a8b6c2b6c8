"""Legitimate changes to the chain since the seal, for the audit."""

from __future__ import annotations

from boot.audit.seen import Observed
from coordinator.parties.store import PartyStore


def observed(store: PartyStore) -> Observed:
    """The accounts of all parties ever accepted, including those that left, because their accounts stay; and the
    contracts that the producers replaced.
    """
    accounts = frozenset(party.account for party in store.parties() if party.account_key is not None)
    return Observed(accounts, store.upgrades())
