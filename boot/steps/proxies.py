"""Accounts that vote for others register as proxies, before anybody votes through them."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import governed, resigned, row, verdict
from boot.step import ChainStep, Push, Reads, Verdict
from boot.steps.payment import OWN, billed
from boot.voting import holder


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """One transaction for each proxy, at its own cost if eosio has resigned already."""
    held = [(proxy, holder(blueprint, proxy)) for proxy in blueprint.sealed.proxies]
    billed_to_us = (Push(proxy, (billed(actions.regproxy(proxy, True), by),), by) for proxy, by in held)
    own = (Push(OWN + proxy, (actions.regproxy(proxy, True),), by, spare=True) for proxy, by in held)
    return (*billed_to_us, *own)


def evidence(blueprint: Blueprint) -> Reads:
    """Each is a proxy in the voters table. Once the producers govern, a proxy may have stopped being one: the sealed
    votes went through it before, and have evidence of their own.
    """
    missing = []
    for proxy in blueprint.sealed.proxies:
        entry = yield from row("eosio", "eosio", "voters", proxy)
        if entry is None or not entry["is_proxy"]:
            missing.append(proxy)
    if missing and (yield from governed()):
        return Verdict((), "the producers have been elected since")
    if missing and (yield from resigned()):
        missing = [OWN + proxy for proxy in missing]
    return verdict(missing, len(blueprint.sealed.proxies), "proxies registered")


STEP = ChainStep("proxies", "register the proxies", ("producer-nodes",), work, evidence, parallel=True)
