"""The elected producers take over: the active schedule is theirs, and so is eosio.prods' authority."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antelope.asset import Asset
from antelope.elections import MIN_ACTIVATED_STAKE, TURN_SECONDS
from boot import canary
from boot.blueprint import Blueprint
from boot.claims import chain_time
from boot.reads import Asking, ask, few, governed, rows
from boot.step import Reads, Verdict, WaitStep

ELECTION = 120
"""Seconds: the contract counts votes once a minute, in case the first election came too early."""
ROUNDS = 4
"""Rounds of the schedule. It is proposed, becomes pending, then active, each step once the previous one is
irreversible.
"""


def evidence(blueprint: Blueprint) -> Reads:
    """The active schedule is the elected set, and eosio.prods consists of them. Once the producers govern, others may
    be elected.
    """
    if (yield from governed()):
        return Verdict((), "the producers govern the chain, and sign its blocks")
    elected = set(blueprint.sealed.elected)
    answer = yield from ask("/v1/chain/get_producer_schedule")
    active = _names(answer["active"])
    if active != elected:
        lacking = yield from _lacking_stake(blueprint)
        absent, others = sorted(elected - active), sorted(active - elected)
        stage = next((name for name in ("pending", "proposed") if _names(answer.get(name))), "not proposed yet")
        said = lacking or f"the schedule is {few(sorted(active))}; the next: {stage}"
        return Verdict(tuple(absent or others), said, elsewhere=bool(lacking))
    members = yield from canary.members()
    if members != elected:
        return Verdict(tuple(sorted(elected)), f"{canary.PRODUCERS} is still {few(sorted(members))}")
    return Verdict((), f"{few(sorted(elected), 4)} are the schedule")


def _names(schedule: Mapping[str, Any] | None) -> set[str]:
    """The accounts of a schedule. Some versions of nodeos return null for a missing one, others an empty list of
    producers.
    """
    return {str(entry["producer_name"]) for entry in (schedule or {}).get("producers", ())}


def _lacking_stake(blueprint: Blueprint) -> Asking[str]:
    """What to say if too little stake has voted for an election; empty otherwise.

    The contract notes when the first election became possible: with the vote that reached the threshold. Versions
    without a threshold count no activated stake and note it a block after the first vote.
    """
    found = yield from rows("eosio", "eosio", "global")
    if not found or chain_time(found[0]["thresh_activated_stake_time"]).timestamp():
        return ""
    activated, weight = int(found[0]["total_activated_stake"]), float(found[0]["total_producer_vote_weight"])
    if weight and not activated:
        return ""
    voted, needed = Asset(activated, blueprint.symbol), Asset(MIN_ACTIVATED_STAKE, blueprint.symbol)
    return f"stake of {voted} has voted, the first election needs {needed}: others must vote"


def deadline(blueprint: Blueprint) -> float:
    """Seconds, by rounds of the schedule: a round is six seconds a producer."""
    return ELECTION + ROUNDS * TURN_SECONDS * len(blueprint.sealed.elected)


STEP = WaitStep("handover", "wait until the elected producers are the schedule", ("votes",), evidence, deadline)
