"""Activates the other protocol features with the boot contract's `activate`. They take effect in the next block."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import active_features, by_eosio, verdict
from boot.step import ChainStep, Push, Reads, Verdict

KEY = "features"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """All in one transaction, in the order of their dependencies; one by one if some are active already."""
    wanted = blueprint.sealed.features[1:]
    if not wanted:
        return ()
    together = Push(KEY, tuple(actions.activate(feature.digest) for feature in wanted), "eosio")
    singly = (Push(feature.name, (actions.activate(feature.digest),), "eosio", spare=True) for feature in wanted)
    return (together, *singly)


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """The chain lists them as active."""
    active = yield from active_features()
    wanted = blueprint.sealed.features[1:]
    missing = [feature.name for feature in wanted if feature.digest not in active]
    if missing and len(missing) == len(wanted):
        return Verdict((KEY,), f"none of {len(wanted)} features is active")
    return verdict(missing, len(wanted), "features active")


STEP = ChainStep("features", "activate the protocol features", ("boot-contract",), work, evidence)
