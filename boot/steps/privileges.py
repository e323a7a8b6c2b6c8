"""eosio.msig becomes privileged: it executes proposals with authorities that are not its own."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import account, until_resigned
from boot.step import ChainStep, Push, Reads, Verdict

MSIG = "eosio.msig"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """setpriv of eosio.msig."""
    return (Push(MSIG, (actions.setpriv(MSIG, True),), "eosio"),)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """The account says so."""
    found = yield from account(MSIG)
    if found is not None and found["privileged"]:
        return Verdict((), f"{MSIG} is privileged")
    return Verdict((MSIG,), f"{MSIG} is not privileged")


STEP = ChainStep("privileges", "make eosio.msig privileged", ("init",), work, evidence)
