"""The canary is executed, and judged by its effect: the receipt of `exec` proves nothing.

Not every elected producer must have signed blocks before: the execution becomes irreversible only if two thirds of them
sign.
"""

from __future__ import annotations

from boot import canary
from boot.blueprint import Blueprint
from boot.reads import resigned
from boot.step import ChainStep, Finality, Push, Reads, Verdict

KEY, FOR_EOSIO, ANEW = "exec", "exec/deputy for eosio", "exec/deputy"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """The execution by eosio, or by a producer if eosio has resigned already."""
    deputy = canary.deputy(blueprint)
    return (
        Push(KEY, (canary.execute(),), canary.PROPOSER),
        Push(FOR_EOSIO, (canary.execute(canary.PROPOSER, deputy),), deputy, spare=True),
        Push(ANEW, (canary.execute(deputy, deputy),), deputy, spare=True),
    )


def evidence(blueprint: Blueprint) -> Reads:
    """eosio.prods has the balance row that only its own authority can have made."""
    if (yield from canary.proven(blueprint)):
        return Verdict((), "eosio.prods@active has acted")
    key = KEY
    if (yield from resigned()):
        proposer = yield from canary.proposer(blueprint)
        key = FOR_EOSIO if proposer == canary.PROPOSER else ANEW
    else:
        proposer = canary.PROPOSER
    if (yield from canary.proposed(blueprint, proposer)):
        return Verdict((key,), "proposed, not executed yet")
    if (yield from canary.executing()):
        return Verdict((key,), "executed; its deferred transaction has not run yet")
    return Verdict(
        (key,),
        "the proposal is gone from eosio.msig without its effect: eosio.prods cannot act, and eosio must not resign;"
        " run the boot again to propose it anew",
    )


STEP = ChainStep(
    "canary-exec", "execute the canary", ("canary-approve",), work, evidence, finality=Finality.IRREVERSIBLE
)
