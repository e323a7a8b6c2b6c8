"""eosio.msig becomes privileged, and other contracts that do things with authorities that are not their own."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import account, until_resigned, verdict
from boot.step import ChainStep, Push, Reads


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setpriv of each, in a transaction of its own."""
    return tuple(Push(name, (actions.setpriv(name, True),), "eosio") for name in blueprint.sealed.privileged)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """The accounts say so."""
    missing = []
    for name in blueprint.sealed.privileged:
        found = yield from account(name)
        if found is None or not found["privileged"]:
            missing.append(name)
    return verdict(missing, len(blueprint.sealed.privileged), "privileged contracts")


STEP = ChainStep("privileges", "make eosio.msig privileged", ("init",), work, evidence, parallel=True)
