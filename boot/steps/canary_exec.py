"""The canary is executed, and judged by its effect: the receipt of `exec` proves nothing."""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.reads import until_resigned
from boot.step import ChainStep, Finality, Push, Reads, Verdict

KEY = "exec"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """Executed by eosio."""
    return (Push(KEY, (canary.execute(),), "eosio"),)


@until_resigned
def evidence(blueprint: Blueprint) -> Reads:
    """eosio.prods has the balance row that only its own authority can have made."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "eosio.prods@active has acted")
    if (yield from canary.proposed(blueprint)):
        return Verdict((KEY,), "proposed, not executed yet")
    if (yield from canary.executing()):
        return Verdict((KEY,), "executed; its deferred transaction has not run yet")
    return Verdict(
        (KEY,),
        "the proposal is gone from eosio.msig without its effect: eosio.prods cannot act, and eosio must not resign;"
        " run the boot again to propose it anew",
    )


STEP = ChainStep(
    "canary-exec", "execute the canary", ("canary-approve",), work, evidence, finality=Finality.IRREVERSIBLE
)
