"""`coord claim`: claims the rewards of the operator's producers that the contract would pay now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boot.claims import ELSEWHERE, Claim, claims, through_vaulta
from boot.plan import make_plan
from boot.reads import rows, run_reads
from boot.steps import OPTIONAL, STEPS
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows.changing.acting import here_or_there
from coordinator.workflows.starting.needs import check_needs
from inventory.network import Network

STEP = "claim"


async def claim_rewards(network: Network, root: Path, reporter: Reporter) -> dict[str, Any]:
    """Claims them, or has a running coordinator do it. Returns the document that `coord claim --json` prints."""

    async def here(opened: OpenNetwork) -> dict[str, Any]:
        return await claim(opened, reporter)

    return await here_or_there(network, root, reporter, here, STEP, {}, needs_agent=True)


async def claim(opened: OpenNetwork, reporter: Reporter) -> dict[str, Any]:
    """Claims what is due. Returns who claimed, and when each producer may claim next.

    Raises UsageProblem before the election, OperationFailed where the contract refuses, CoordError, NodeError.
    """
    plan = make_plan((*STEPS, *OPTIONAL)).only(STEP)
    check_needs(opened, plan)
    blueprint = opened.blueprint(opened.sealed)
    if through_vaulta(blueprint):
        raise OperationFailed(ELSEWHERE)
    before = await _claims(opened)
    outcome = await Runner(opened.access, blueprint, opened.state, reporter).run(plan.steps)
    if reason := {**outcome.failed, **outcome.parked}.get(STEP):
        raise OperationFailed(f"the claims failed: {reason}")
    after = await _claims(opened)
    return {
        "claimed": [name for name, one in after.items() if name in before and one.due > before[name].due],
        "producers": [{"account": name, "due": f"{one.due:%Y-%m-%dT%H:%M:%SZ}"} for name, one in after.items()],
    }


def lines(document: dict[str, Any], now: datetime) -> list[str]:
    """The document in words."""
    claimed, producers = document["claimed"], document["producers"]
    if claimed:
        return [f"claimed: {', '.join(claimed)}"]
    if not producers:
        return ["no producer of this network's operator is registered"]
    first = min(producers, key=lambda one: str(one["due"]))
    due = datetime.fromisoformat(first["due"])
    hours = max((due - now.astimezone(UTC)).total_seconds(), 0.0) / 3600
    return [f"nothing is due: the next is {first['account']}, from {due:%Y-%m-%d %H:%M:%S} UTC (in {hours:.1f} hours)"]


async def _claims(opened: OpenNetwork) -> dict[str, Claim]:
    """The operator's producers. Parties claim for themselves."""
    ours = {producer.account for producer in opened.sealed.producers}
    table = await run_reads(rows("eosio", "eosio", "producers"), opened.access.ask)
    return {one.producer: one for one in claims(table) if one.producer in ours}
