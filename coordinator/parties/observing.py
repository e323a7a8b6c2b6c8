"""Legitimate changes to the chain since the seal, for the audit."""

from __future__ import annotations

from collections.abc import Iterable

from boot.audit.seen import Observed
from coordinator.parties.store import PartyStore
from inventory.planned import PlannedProducer


def observed(store: PartyStore, later: Iterable[PlannedProducer]) -> Observed:
    """The accounts of all parties ever accepted, including those that left, because their accounts stay; those of the
    operator's later producers; and the contracts that the producers replaced.
    """
    accounts = {party.account for party in store.parties() if party.account_key is not None}
    return Observed(frozenset(accounts | {producer.account for producer in later}), store.upgrades())
