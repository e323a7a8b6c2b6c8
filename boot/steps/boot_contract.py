"""Deploys the contract with `activate` to eosio, until the system contract replaces it."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import active_features, by_eosio
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps import deployment

KEY = "boot contract"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setcode and setabi of eosio."""
    return deployment.pushes(blueprint, blueprint.sealed.boot_contract, KEY)


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """eosio runs it, or it is no longer needed because the features are active for good."""
    keys = yield from deployment.missing(blueprint, blueprint.sealed.boot_contract, KEY)
    if keys:
        active = yield from active_features()
        if all(feature.digest in active for feature in blueprint.sealed.features):
            return Verdict((), "not needed: the features are active")
    return Verdict(tuple(keys), "eosio lacks it" if keys else "eosio runs it")


STEP = ChainStep("boot-contract", "put the boot contract on eosio", ("preactivate",), work, evidence)
