"""eosio.system replaces the boot contract on eosio."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import by_eosio
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps import deployment
from inventory.sealed import SealedContract


def system_contract(blueprint: Blueprint) -> SealedContract:
    """eosio's own among the sealed contracts."""
    return next(contract for contract in blueprint.sealed.contracts if contract.account == "eosio")


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setcode and setabi of eosio in one transaction: the largest of the boot."""
    return deployment.pushes(blueprint, system_contract(blueprint))


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """eosio has the sealed code and ABI, or what the producers have set there since."""
    keys = yield from deployment.needed(blueprint, system_contract(blueprint))
    return Verdict(tuple(keys), "eosio lacks it" if keys else "eosio runs it")


STEP = ChainStep("system-contract", "put the system contract on eosio", ("contracts",), work, evidence)
