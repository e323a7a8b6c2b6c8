"""eosio.msig becomes privileged, and so do other contracts that act with authorities of other accounts."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import account, by_eosio, few, governed, verdict
from boot.step import ChainStep, Push, Reads, Verdict

MSIG = "eosio.msig"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setpriv of each, each in its own transaction."""
    return tuple(Push(name, (actions.setpriv(name, True),), "eosio") for name in blueprint.sealed.privileged)


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """The accounts say so. Once the producers govern, they may take privileges away, except eosio.msig's, without which
    they could not act.
    """
    missing = []
    for name in blueprint.sealed.privileged:
        found = yield from account(name)
        if found is None or not found["privileged"]:
            missing.append(name)
    if missing and MSIG not in missing and (yield from governed()):
        return Verdict((), f"{few(missing)}: not privileged, which the producers may decide")
    return verdict(missing, len(blueprint.sealed.privileged), "privileged contracts")


STEP = ChainStep("privileges", "make eosio.msig privileged", ("system-contract",), work, evidence, parallel=True)
