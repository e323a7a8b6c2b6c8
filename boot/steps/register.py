"""Producers register with the key that will sign their blocks, each through its own node."""

from __future__ import annotations

from antelope import actions
from antelope.keys import PublicKey
from boot.blueprint import Blueprint
from boot.reads import governed, is_key, rows, verdict
from boot.step import ChainStep, Push, Reads


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """One transaction for each producer, signed by itself."""
    return tuple(
        Push(
            producer.account,
            (
                actions.regproducer(
                    producer.account, PublicKey.parse(producer.signing_key), producer.url, producer.location
                ),
            ),
            producer.account,
        )
        for producer in blueprint.sealed.producers
    )


def evidence(blueprint: Blueprint) -> Reads:
    """The producers table has each, active and with the sealed key. Once the producers govern, a producer may have
    changed its key or unregistered; its row stays.
    """
    table = yield from rows("eosio", "eosio", "producers")
    registered = {str(entry["owner"]): str(entry["producer_key"]) for entry in table if entry["is_active"]}
    wanted = {one.account: PublicKey.parse(one.signing_key) for one in blueprint.sealed.producers}
    missing = [account for account, key in wanted.items() if not is_key(registered.get(account), key)]
    if missing and (yield from governed()):
        known = {str(entry["owner"]) for entry in table}
        missing = [account for account in missing if account not in known]
    return verdict(missing, len(wanted), "producers registered")


STEP = ChainStep("register", "register the producers", ("producer-nodes",), work, evidence, parallel=True)
