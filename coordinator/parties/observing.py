"""What came to the chain lawfully after the seal, for the audit."""

from __future__ import annotations

from boot.audit.seen import Observed
from coordinator.parties.store import PartyStore


def observed(store: PartyStore) -> Observed:
    """The accounts of parties that were taken up at some time, also of those that are gone: their accounts stay. And
    the contracts that the producers replaced.
    """
    accounts = frozenset(party.account for party in store.parties() if party.account_key is not None)
    return Observed(accounts, store.upgrades())
