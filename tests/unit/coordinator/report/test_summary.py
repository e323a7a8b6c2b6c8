"""The summary at the end of a boot: rewards that can be claimed, and what to run next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from boot.claims import Claim
from boot.plan import make_plan
from boot.steps import STEPS
from coordinator.engine.outcome import Booted, Outcome
from coordinator.report.status import NetworkStatus, Phase
from coordinator.report.summary import Summary
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from inventory.sealed import Sealed

NAMES = [step.name for step in make_plan(STEPS).steps]
CLAIMS = (Claim("alice", datetime(2026, 1, 2, tzinfo=UTC)), Claim("bob", datetime(2026, 1, 3, tzinfo=UTC)))


def said(done: list[str], schedule: tuple[str, ...], claims: tuple[Claim, ...] = CLAIMS) -> str:
    """The line about rewards, empty when there is none. done: the steps that are."""
    steps = {name: StepRecord(name, StepResult.DONE, 1.0, "", 0) for name in done}
    report = NetworkStatus(
        network="x", chain_id="c", manifest="m", phase=Phase.VOTING, head=9, head_age=0.5, stands=False, lib=9,
        schedule=schedule, silent=(), nodes=(), hosts=(), steps=steps,
    )  # fmt: skip
    booted = Booted(cast("Sealed", None), Outcome(()), started=False)
    lines = Summary(booted, report, claims, ()).lines()
    return next((line for line in lines if line.startswith("rewards")), "")


def test_nobody_may_claim_before_an_election() -> None:
    """In phase voting producers are registered, and the contract pays none of them: no command is advised."""
    before = NAMES[: NAMES.index("handover")]
    assert said(before, ("eosio",)) == "rewards   none yet: the contract pays from the election on"
    assert said(before, ("eosio",), ()) == ""


def test_the_first_of_the_schedule_may() -> None:
    """After the election, the first producer of the schedule whose day is over."""
    assert said(NAMES, ("bob",)) == "rewards   bob may claim now: coord claim INVENTORY"


def lines(**changes: Any) -> str:
    """The summary of a boot that did nothing, but for the changes of its outcome."""
    steps = {name: StepRecord(name, StepResult.DONE, 1.0, "", 0) for name in changes.pop("done", NAMES)}
    stands = changes.pop("stands", False)
    report = NetworkStatus(
        network="x", chain_id="c", manifest="m", phase=Phase.LIVE, head=9, head_age=0.5, stands=stands, lib=9,
        schedule=("bob",), silent=(), nodes=(), hosts=(), steps=steps,
    )  # fmt: skip
    booted = Booted(cast("Sealed", None), Outcome((), **changes), started=False)
    return "\n".join(Summary(booted, report, (), ("one: keys",)).lines())


def test_what_to_run_next_follows_from_how_it_ended() -> None:
    """After a failure the log, and boot again; after part of the boot, the next step; at the end the audit."""
    failed = lines(failed={"votes": "no money"})
    assert "FAILED votes: no money" in failed
    assert "coord logs INVENTORY NODE" in failed
    part = lines(done=NAMES[:3])
    assert "Nothing to do." in part
    assert f"continues with {NAMES[3]}" in part
    assert "verify" not in part
    end = lines()
    assert "Nothing to do: everything is done and running." in end
    assert "coord verify INVENTORY" in end
    assert "keys      one: keys" in end
    parked = lines(parked={"votes": "half of the stake has not voted"})
    assert "waiting for others at votes: half of the stake has not voted" in parked
    stands = lines(stands=True)
    assert "FAILED the chain has stalled: no new blocks" in stands
    assert "Nothing to do" not in stands
