"""What `coord status --why` says of a step: while a boot runs, before its first step, and when none runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from boot.step import Verdict
from coordinator.engine.executor import Checked, StepState, Waiting
from coordinator.errors import UsageProblem
from coordinator.reporter import StepResult
from coordinator.state.folder import StepRecord
from coordinator.workflows.watching.why import RunningBoot, why
from inventory.load import load
from inventory.network import Network

RECORDS = {
    "genesis": StepRecord("genesis", StepResult.DONE, 1.0, "runs", 0),
    "votes": StepRecord("votes", StepResult.WAITS, 1.0, "40 M of 150 M staked", 0),
}


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """One with all steps."""
    (tmp_path / "x.toml").write_text('[network]\nname = "x"\n')
    return load(tmp_path / "x.toml")


def test_what_is_on_record_is_told(network: Network) -> None:
    """Done, waiting for others, or never begun because of an earlier step."""
    assert why("genesis", network, RECORDS, None) == "genesis (done): runs"
    assert why("votes", network, RECORDS, None).startswith("votes (waits): 40 M of 150 M staked; no boot is running")
    assert why("preactivate", network, RECORDS, None).startswith("preactivate (pending): was not begun;")
    handover, votes = why("handover", network, RECORDS, None).splitlines()
    assert handover.startswith("handover (pending): waits for votes; no boot is running")
    assert votes == "  votes (waits): 40 M of 150 M staked"
    assert why("parties", network, {}, None).startswith("parties (pending): every boot does it before its steps;")


def test_a_running_boot_knows_better(network: Network) -> None:
    """Its answer counts, whatever is recorded."""
    running = RunningBoot()
    running.reasons.note(None, {"genesis": Waiting(StepState.CHECKING, "its evidence is being read", 0)})
    said = why("genesis", network, RECORDS, running)
    assert said == "genesis (checking): its evidence is being read; since the run began, 0 s ago"


def test_a_step_that_waits_for_others_names_those_at_work(network: Network) -> None:
    """With the event since which each waits, and what it last reported of its work."""
    running = RunningBoot()
    running.at_work.began("accounts", "create the staked accounts")
    running.at_work.moved("accounts", 3, 8, "create the accounts, and wait until it is irreversible")
    waiting = {
        "accounts": Waiting(StepState.RUNNING, "waits for h1", 1, ("h1",)),
        "register": Waiting(StepState.PENDING, "waits for accounts", 0, ("accounts",)),
    }
    running.reasons.note(None, waiting)
    running.reasons.note(Checked("accounts", Verdict(("0000",), "0 of 8"), id=1), waiting)
    assert why("register", network, {}, running) == (
        "register (pending): waits for accounts; since the run began, 0 s ago\n"
        "  accounts (running): waits for h1; since event 1, 0 s ago (the evidence of accounts was read: 0 of 8); "
        "3 of 8 done; create the accounts, and wait until it is irreversible"
    )


def test_a_boot_that_has_not_begun_its_steps_says_what_it_does(network: Network) -> None:
    """It waits for parties, say; that is never called a boot that does not run."""
    running = RunningBoot()
    assert why("genesis", network, {}, running) == (
        "genesis (pending): the running boot has not begun its steps; it is starting"
    )
    running.at_work.noted = "starting again: defproducerb"
    assert why("genesis", network, {}, running).endswith("; its latest line is: starting again: defproducerb")
    running.at_work.began("parties", "wait for parties")
    running.at_work.moved("parties", 0, 1, "bob: not invited yet")
    assert why("genesis", network, {}, running).endswith("; it is at work on parties (bob: not invited yet)")
    assert why("parties", network, {}, running) == "parties (running): bob: not invited yet; for 0 s"
    assert why("genesis", network, RECORDS, running) == "genesis (done): runs"


def test_an_unknown_step_is_a_mistake_of_the_users(network: Network) -> None:
    """The message says where the names are."""
    with pytest.raises(UsageProblem, match="there is no step 'handovr'; coord plan INVENTORY lists them"):
        why("handovr", network, {}, None)
