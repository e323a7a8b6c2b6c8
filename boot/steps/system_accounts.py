"""The accounts of the system and of the contracts, with eosio's key until it resigns."""

from __future__ import annotations

from antelope import actions
from antelope.authority import Authority
from antelope.keys import PublicKey
from boot.blueprint import Blueprint
from boot.reads import account, by_eosio, verdict
from boot.step import ChainStep, Push, Reads


def governed(blueprint: Blueprint) -> tuple[str, ...]:
    """Every account that the boot makes with eosio's key: system accounts, and contracts that are not among them."""
    contracts = (contract.account for contract in blueprint.sealed.contracts if contract.account != "eosio")
    return tuple(dict.fromkeys((*blueprint.sealed.system_accounts, *contracts)))


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """One transaction each, so that an account that already exists does not stop the others."""
    key = Authority.key(PublicKey.parse(blueprint.sealed.eosio_key))
    return tuple(Push(name, (actions.newaccount("eosio", name, key, key),), "eosio") for name in governed(blueprint))


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """The accounts exist."""
    wanted = governed(blueprint)
    missing = []
    for name in wanted:
        if (yield from account(name)) is None:
            missing.append(name)
    return verdict(missing, len(wanted), "system accounts")


STEP = ChainStep("system-accounts", "create the system accounts", ("features",), work, evidence, parallel=True)
