"""Deploys eosio.token, eosio.msig and any further contracts, except eosio's own."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import by_eosio, verdict
from boot.step import ChainStep, Push, Reads
from boot.steps import deployment
from inventory.sealed import SealedContract


def deployed(blueprint: Blueprint) -> tuple[SealedContract, ...]:
    """The contracts, in the order of deployment."""
    return tuple(contract for contract in blueprint.sealed.contracts if contract.account != "eosio")


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setcode and setabi of each account in one transaction."""
    return tuple(push for contract in deployed(blueprint) for push in deployment.pushes(blueprint, contract))


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """Each account has the sealed code and ABI, or what the producers have set there since."""
    missing: list[str] = []
    for contract in deployed(blueprint):
        missing += yield from deployment.needed(blueprint, contract)
    return verdict(missing, len(deployed(blueprint)), "contracts deployed")


STEP = ChainStep("contracts", "deploy the contracts", ("system-accounts",), work, evidence, parallel=True)
