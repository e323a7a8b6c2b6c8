"""Accounts that vote for others register as proxies, before anybody votes through them."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import row, until_resigned, verdict
from boot.step import ChainStep, Push, Reads
from boot.steps.payment import billed
from boot.voting import holder


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """A transaction each."""
    held = ((proxy, holder(blueprint, proxy)) for proxy in blueprint.sealed.proxies)
    return tuple(Push(proxy, (billed(actions.regproxy(proxy, True), by),), by) for proxy, by in held)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """The voters table says so of each."""
    missing = []
    for proxy in blueprint.sealed.proxies:
        entry = yield from row("eosio", "eosio", "voters", proxy)
        if entry is None or not entry["is_proxy"]:
            missing.append(proxy)
    return verdict(missing, len(blueprint.sealed.proxies), "proxies registered")


STEP = ChainStep("proxies", "register the proxies", ("accounts",), work, evidence, parallel=True)
