"""The system contract takes up the core symbol and opens the RAM market."""

from __future__ import annotations

from antelope import actions
from boot.blueprint import Blueprint
from boot.reads import by_eosio, rows
from boot.step import ChainStep, Push, Reads, Verdict

KEY = "init"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """`init`, which needs a supply of this symbol because that determines the RAM price."""
    return (Push(KEY, (actions.init(0, blueprint.symbol),), "eosio"),)


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """The RAM market has its row, quoted in the core token."""
    market = yield from rows("eosio", "eosio", "rammarket")
    if any(str(entry["quote"]["balance"]).endswith(f" {blueprint.symbol.code}") for entry in market):
        return Verdict((), "the RAM market is open")
    return Verdict((KEY,), "the RAM market is not open yet")


STEP = ChainStep("init", "initialise the system contract", ("system-contract", "currency"), work, evidence)
