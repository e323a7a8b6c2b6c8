"""The core token: created with its maximum supply, then issued to eosio, who shares it out."""

from __future__ import annotations

from antelope import actions
from antelope.asset import Asset
from boot.blueprint import Blueprint
from boot.reads import by_eosio, rows
from boot.step import ChainStep, Push, Reads, Verdict

CREATE, ISSUE = "create", "issue"


def work(blueprint: Blueprint) -> tuple[Push, ...]:
    """eosio is the issuer: the system contract inflates the supply in its name."""
    maximum = Asset(blueprint.sealed.max_supply, blueprint.symbol)
    issued = Asset(blueprint.sealed.issue, blueprint.symbol)
    return (
        Push(CREATE, (actions.create("eosio", maximum),), "eosio"),
        Push(ISSUE, (actions.issue("eosio", issued, "initial supply"),), "eosio"),
    )


@by_eosio
def evidence(blueprint: Blueprint) -> Reads:
    """The token's row exists and has a supply. Its amount grows by inflation later, so only the audit checks it."""
    code = blueprint.symbol.code
    found = yield from rows("eosio.token", code, "stat")
    if not found:
        return Verdict((CREATE, ISSUE), f"{code} does not exist yet")
    stat = found[0]
    if not Asset.parse(stat["supply"]).amount:
        return Verdict((ISSUE,), f"nothing of {code} is issued yet")
    return Verdict((), f"supply {stat['supply']} of at most {stat['max_supply']}")


STEP = ChainStep("currency", "create and issue the core token", ("contracts",), work, evidence)
