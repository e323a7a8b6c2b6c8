"""eosio resigns to the producers, and every account that the boot created with eosio's key resigns to eosio, in one
transaction.
"""

from __future__ import annotations

from antelope import actions
from antelope.authority import Authority
from antelope.transaction import Action
from boot.blueprint import Blueprint
from boot.reads import account, delegated
from boot.step import ChainStep, Finality, Push, Reads, Verdict
from boot.steps.system_accounts import governed

KEY = "resign"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """eosio comes last, because its key signs for the others. If eosio has resigned already, the others follow one by
    one: they have the same key.
    """
    names = governed(blueprint)
    made: list[Action] = [action for name in names for action in _handed_to(name, "eosio")]
    singly = (Push(name, _handed_to(name, "eosio"), "eosio", spare=True) for name in names)
    return (Push(KEY, (*made, *_handed_to("eosio", "eosio.prods")), "eosio"), *singly)


def _handed_to(name: str, actor: str) -> tuple[Action, Action]:
    authority = Authority.account(actor, "active")
    return (
        actions.updateauth(name, "active", "owner", authority),
        actions.updateauth(name, "owner", "", authority),
    )


def evidence(blueprint: Blueprint) -> Reads:
    """Owner and active of eosio are only eosio.prods@active; those of the other accounts only eosio@active."""
    keeping = []
    for name, actor in [*((name, "eosio") for name in governed(blueprint)), ("eosio", "eosio.prods")]:
        if not delegated((yield from account(name)), actor):
            keeping.append(name)
    if keeping:
        keys = (KEY,) if "eosio" in keeping else tuple(keeping)
        return Verdict(keys, f"with keys of their own still: {', '.join(keeping)}")
    return Verdict((), "eosio is governed by eosio.prods@active, the system accounts by eosio@active")


STEP = ChainStep("resign", "let eosio resign", ("canary-exec", "turns"), work, evidence, finality=Finality.IRREVERSIBLE)
