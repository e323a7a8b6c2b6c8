"""The contract with `activate` goes onto eosio, until the system contract replaces it."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.reads import code_and_abi, until_resigned
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps import deployment
from boot.steps.system_contract import system_contract

KEY = "boot contract"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setcode and setabi of eosio."""
    return deployment.pushes(blueprint, blueprint.sealed.boot_contract, KEY)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """eosio runs it, or its successor already."""
    successor = system_contract(blueprint)
    code, _ = yield from code_and_abi("eosio", "")
    if code == successor.wasm and code != blueprint.sealed.boot_contract.wasm:
        return Verdict((), "the system contract has replaced it")
    keys = yield from deployment.missing(blueprint, blueprint.sealed.boot_contract, KEY)
    return Verdict(tuple(keys), "eosio lacks it" if keys else "eosio runs it")


STEP = ChainStep("boot-contract", "put the boot contract on eosio", ("preactivate",), work, evidence)
