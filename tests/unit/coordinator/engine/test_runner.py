"""The runner against a simulated chain and clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from antelope.errors import NodeError
from boot.step import NodeMode, Query, Step, WaitStep
from coordinator.engine.executor import ROUNDS
from coordinator.engine.outcome import Outcome
from coordinator.reporter import StepResult
from protos import coordination_pb2 as pb
from tests.unit.clock import played
from tests.unit.coordinator.engine.stage import (
    Bench,
    chain_step,
    evidence,
    gone,
    make_bench,
    node_step,
    refused,
    wait_step,
)

BANK = "eosio"
"""Its agent, and that of whoever has no node, is on the first host."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Nothing is done yet."""
    bench = make_bench(tmp_path)
    yield bench
    bench.state.close()


def ran(bench: Bench, *steps: Step) -> tuple[Outcome, float]:
    """How a run of these ends, and after how many seconds."""
    return played(bench.runner().run(steps))


def other(bench: Bench) -> str:
    """A producer whose node is on the second host."""
    return str(next(node.account for node in bench.stage.network.nodes if node.host == "two"))


def test_what_the_chain_shows_is_not_done_again(bench: Bench) -> None:
    """No task is given, and the step is recorded as done; a second run says the same."""
    bench.stage.blocks = {"a": {"x"}, "b": {"y"}}
    steps = chain_step("a", {"x": BANK}), chain_step("b", {"y": BANK}, "a")
    for _ in range(2):
        outcome, _ = ran(bench, *steps)
        assert (outcome.settled, outcome.acted, outcome.failed) == (["a", "b"], [], {})
    assert bench.stage.run_steps() == []
    assert bench.heard.results == {"a": StepResult.ALREADY, "b": StepResult.ALREADY}
    assert all(bench.state.steps()[name].done for name in ("a", "b"))


def test_what_is_missing_is_told_to_whoever_holds_the_key(bench: Bench) -> None:
    """Only the missing work, in the order of the steps; transactions are recorded and in the command log."""
    two = other(bench)
    bench.stage.blocks = {"a": {"x"}}
    steps = chain_step("a", {"x": BANK, "y": BANK, "z": two}), chain_step("b", {"z": two}, "a")
    outcome, _ = ran(bench, *steps)
    assert bench.stage.run_steps() == [("one", "a", ["y"]), ("two", "a", ["z"]), ("two", "b", ["z"])]
    assert (outcome.acted, outcome.failed) == (["a", "b"], {})
    assert [bench.state.steps()[name].transactions for name in ("a", "b")] == [3, 1]  # with the one from before
    assert [(step, result) for step, result, _ in bench.heard.ends] == [
        ("a", StepResult.DONE),
        ("b", StepResult.DONE),
    ]
    assert "2 transactions" in bench.heard.ends[0][2]
    assert bench.state.boot_log.read_text().count("transaction") >= 3


def test_shares_of_a_parallel_step_go_to_their_hosts_at_once(bench: Bench) -> None:
    """Each host gets its keys in one task."""
    two = other(bench)
    outcome, _ = ran(bench, chain_step("a", {"x": BANK, "y": two, "z": BANK}, parallel=True))
    assert sorted(bench.stage.run_steps()) == [("one", "a", ["x", "z"]), ("two", "a", ["y"])]
    assert outcome.acted == ["a"]


def test_a_wait_ends_when_its_fact_is_there(bench: Bench) -> None:
    """It is looked for again and again; the wait is reported as done by this run."""
    looks = 0

    def appears(query: Query) -> NodeError | None:
        nonlocal looks
        looks += query.path == "w"
        if looks == 5:
            bench.stage.blocks["w"] = {"it"}
        return None

    bench.stage.unreadable = appears
    outcome, seconds = ran(bench, wait_step("w", 60.0))
    assert outcome.acted == ["w"]
    assert 0.5 < seconds < 10
    assert "1 are missing" in bench.heard.details


def test_a_wait_has_a_deadline_by_the_clock(bench: Bench) -> None:
    """It fails after its seconds, with what is missing; later steps are not begun."""
    outcome, seconds = ran(bench, wait_step("w", 60.0), chain_step("a", {"x": BANK}, "w"))
    assert outcome.failed == {"w": "deadline passed: 1 are missing"}
    assert 60.0 <= seconds < 61
    assert bench.stage.run_steps() == []
    assert not bench.state.steps()["w"].done


def test_what_depends_on_others_is_left_to_a_later_boot(bench: Bench) -> None:
    """The step is parked, with the words of its evidence."""
    step = WaitStep("votes", "votes", (), evidence("votes", ["it"], elsewhere=True), lambda _: 60.0)
    outcome, _ = ran(bench, step)
    assert outcome.parked == {"votes": "1 are missing"}
    assert bench.heard.results == {"votes": StepResult.WAITS}


def test_a_refusal_that_may_pass_is_tried_a_few_times(bench: Bench) -> None:
    """Then the step fails with the host's reason; a refusal that is not retryable fails at once."""
    bench.stage.refuses = refused("busy", retryable=True)
    outcome, _ = ran(bench, chain_step("a", {"x": BANK}))
    assert outcome.failed == {"a": "one: busy"}
    assert len(bench.stage.tasks) == ROUNDS
    bench.stage.refuses = refused("no money", retryable=False)
    outcome, _ = ran(bench, chain_step("a", {"x": BANK}))
    assert outcome.failed == {"a": "one: no money"}
    assert len(bench.stage.tasks) == ROUNDS + 1


def test_nodes_are_started_and_reported_before_what_needs_them(bench: Bench) -> None:
    """In the step's mode; a node that ran before keeps its own; a running node is left alone."""
    names = [node.name for node in bench.stage.network.nodes]
    bench.stage.states[names[1]] = pb.NodeStatus(name=names[1], state="stopped")
    bench.stage.states[names[2]] = pb.NodeStatus(name=names[2], state="running")
    outcome, _ = ran(bench, node_step("start", *names, mode=NodeMode.GENESIS))
    modes = {body.spec.name: body.mode for _, body in bench.stage.tasks}
    assert modes == {names[0]: pb.MODE_GENESIS, names[1]: pb.MODE_RECORDED}
    assert outcome.acted == ["start"]
    assert f"nodeos {names[0]} started on one, mode genesis" in bench.state.boot_log.read_text()


def test_a_node_step_is_done_only_under_its_condition(bench: Bench) -> None:
    """Until the chain shows the condition, the node stays as it is."""
    step = node_step("retire", "genesis", mode=NodeMode.AUDIT, condition=evidence("handover", ["it"]))
    bench.stage.states["genesis"] = pb.NodeStatus(name="genesis", state="running", mode=pb.MODE_GENESIS)
    outcome, _ = ran(bench, step)
    assert outcome.failed == {"retire": "one: 1 are missing"}
    assert bench.stage.tasks == []
    bench.stage.blocks["handover"] = {"it"}
    outcome, _ = ran(bench, step)
    assert outcome.acted == ["retire"]
    assert [body.mode for _, body in bench.stage.tasks] == [pb.MODE_AUDIT]


def test_a_chain_that_cannot_be_read_is_waited_for(bench: Bench) -> None:
    """Nodes may be starting; after two minutes the step has failed, with the reason."""
    asked = 0

    def late(query: Query) -> NodeError | None:
        nonlocal asked
        asked += 1
        return gone(query) if asked < 20 else None

    bench.stage.unreadable = late
    assert ran(bench, chain_step("a", {"x": BANK}))[0].acted == ["a"]
    bench.stage.unreadable = gone
    outcome, seconds = ran(bench, chain_step("b", {"x": BANK}))
    assert outcome.failed == {"b": "coordinator: the chain could not be read for 120 s: no node is running"}
    assert 120 <= seconds < 130


def test_a_chain_whose_genesis_node_is_lost_is_not_waited_for(bench: Bench) -> None:
    """A person has to mend it: that is said at once. A wait ends as soon as a node that signs is lost, too."""
    full = pb.NodeStatus(name="genesis", state="failed", detail="its disk is full", lasting=True)
    bench.stage.states["genesis"] = full
    outcome, seconds = ran(bench, wait_step("w", 600.0))
    assert outcome.failed == {"w": "one: its disk is full"}
    assert seconds < 10
    bench.stage.unreadable = gone
    outcome, seconds = ran(bench, chain_step("a", {"x": BANK}))
    assert outcome.failed == {"a": "one: its disk is full"}
    assert seconds < 10


def test_what_an_interrupted_boot_left_is_waited_for_until_it_is_final(bench: Bench) -> None:
    """A step that must be irreversible, and is only in a block, is not done before its block is."""
    bench.stage.blocks, bench.stage.lib = {"a": {"x"}}, 60
    outcome, _ = ran(bench, chain_step("a", {"x": BANK}, final=True))
    assert outcome.settled == ["a"]
    assert bench.stage.lib >= 101
    assert any("to be irreversible" in detail for detail in bench.heard.details)


def test_a_block_that_does_not_become_final_fails_the_step(bench: Bench) -> None:
    """While two thirds are away nothing becomes irreversible: after that many rounds this is reported."""
    bench.stage.blocks, bench.stage.lib, bench.stage.pace = {"a": {"x"}}, 60, 0
    outcome, seconds = ran(bench, chain_step("a", {"x": BANK}, final=True))
    assert "block 100 to be irreversible (until then a can be lost)" in outcome.failed["a"]
    assert seconds > 120


def test_its_own_fault_ends_the_run_with_its_cause(bench: Bench) -> None:
    """It is not a reason of a step: it comes out as it is, and nothing stays under way."""

    def broken(query: Query) -> NodeError | None:
        if query.path == "a":
            raise ZeroDivisionError("a mistake")
        return None

    bench.stage.unreadable = broken
    with pytest.raises(ZeroDivisionError, match="a mistake"):
        ran(bench, chain_step("a", {"x": BANK}), wait_step("w", 600.0))


def test_a_step_that_ended_without_a_coordinator_is_recounted(bench: Bench) -> None:
    """The agents that pushed are asked once; a step that is on record as done is not asked about again."""
    bench.stage.link("one")
    bench.stage.blocks = {"a": {"x"}}
    for _ in range(2):
        ran(bench, chain_step("a", {"x": BANK}))
    assert [(host, body.step) for host, body in bench.stage.tasks] == [("one", "a")]
    assert bench.state.steps()["a"].transactions == 1


def test_steps_that_a_crash_undid_are_found(bench: Bench) -> None:
    """Of those that this run found done, the ones that the chain no longer shows."""
    bench.stage.blocks = {"a": {"x"}, "b": {"y"}}
    runner = bench.runner()

    async def run() -> tuple[str, ...]:
        outcome = await runner.run([chain_step("a", {"x": BANK}), chain_step("b", {"y": BANK})])
        del bench.stage.blocks["b"]
        return await runner.lost(outcome)

    assert played(run())[0] == ("b",)


def test_every_event_is_numbered_and_said(bench: Bench) -> None:
    """What each step waits for changes with the events, and ends with how it ended."""
    ran(bench, chain_step("a", {"x": BANK}), chain_step("b", {"y": BANK}, "a"))
    said: list[Any] = [(reason.step, reason.state, reason.event) for reason in bench.told]
    assert said[:2] == [("a", "checking", 0), ("b", "pending", 0)]
    assert ("a", "running", 1) in said
    assert [state for step, state, _ in said if step == "b"] == ["pending", "checking", "running", "checking", "done"]
    assert [reason.cause for reason in bench.told if (reason.step, reason.state) == ("a", "checking")][1] == (
        "one carried out a"
    )


def test_what_the_chain_shows_is_recalled_for_a_lost_journal(bench: Bench) -> None:
    """Steps that are done are on record again, with their transactions; the others are not."""
    bench.stage.link("one")
    bench.stage.blocks = {"a": {"x"}}
    steps = [chain_step("a", {"x": BANK}), chain_step("b", {"y": BANK})]
    assert played(bench.runner().recall(steps))[0] == ("a",)
    records = bench.state.steps()
    assert "b" not in records
    assert (records["a"].done, records["a"].transactions) == (True, 1)
