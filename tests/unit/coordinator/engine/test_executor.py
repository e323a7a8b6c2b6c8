"""The executor's decisions, event by event, with no network and no clock."""

from __future__ import annotations

from boot.blueprint import Blueprint
from boot.step import ChainStep, NodeMode, NodeStep, Push, Reads, Step, Verdict, WaitStep
from coordinator.engine.executor import (
    LOOKS,
    ROUNDS,
    Check,
    Checked,
    Executor,
    Failed,
    Instruction,
    Overdue,
    Parked,
    Ran,
    Run,
    Settled,
    StepState,
    Waiting,
)


def no_reads(_: Blueprint) -> Reads:
    yield from ()
    return Verdict(())


def no_work(_: Blueprint) -> tuple[Push, ...]:
    return ()


def chain(name: str, *after: str, parallel: bool = False) -> ChainStep:
    return ChainStep(name, name, after, no_work, no_reads, parallel=parallel)


def wait(name: str, *after: str) -> WaitStep:
    return WaitStep(name, name, after, no_reads, lambda _: 1.0)


def host_of(_: Step, key: str) -> str:
    return key.partition("/")[0]


def names(instructions: list[Instruction]) -> list[tuple[str, str]]:
    return [(type(instruction).__name__, instruction.step.name) for instruction in instructions]


def test_evidence_comes_before_work() -> None:
    """A step that the chain shows as done needs no work, and the next one is checked."""
    executor = Executor([chain("a"), chain("b", "a")], host_of)
    assert names(executor.start()) == [("Check", "a")]
    follow = executor.handle(Checked("a", Verdict(())))
    assert isinstance(follow[0], Settled)
    assert not follow[0].acted
    assert names(follow) == [("Settled", "a"), ("Check", "b")]


def test_missing_work_goes_to_the_hosts_that_hold_the_keys() -> None:
    """Each host gets its own keys; the evidence is read again once all have answered."""
    executor = Executor([chain("a", parallel=True)], host_of)
    executor.start()
    runs = executor.handle(Checked("a", Verdict(("h1/x", "h2/y", "h1/z"))))
    assert [(run.host, run.keys) for run in runs if isinstance(run, Run)] == [
        ("h1", ("h1/x", "h1/z")),
        ("h2", ("h2/y",)),
    ]
    assert executor.handle(Ran("a", "h1")) == []
    assert names(executor.handle(Ran("a", "h2"))) == [("Check", "a")]
    assert names(executor.handle(Checked("a", Verdict(())))) == [("Settled", "a")]
    assert executor.finished


def test_dependent_work_keeps_its_order_across_hosts() -> None:
    """If transactions depend on each other, a host begins only after the one before has finished."""
    executor = Executor([chain("a")], host_of)
    executor.start()
    first = executor.handle(Checked("a", Verdict(("h1/x", "h1/y", "h2/y", "h1/z"))))
    assert [(run.host, run.keys) for run in first if isinstance(run, Run)] == [("h1", ("h1/x", "h1/y"))]
    second = executor.handle(Ran("a", "h1"))
    assert [(run.host, run.keys) for run in second if isinstance(run, Run)] == [("h2", ("h2/y",))]
    third = executor.handle(Ran("a", "h2", "it is away", retryable=True))
    assert names(third) == [("Check", "a")]
    again = executor.handle(Checked("a", Verdict(("h2/y", "h1/z"))))
    assert [(run.host, run.keys) for run in again if isinstance(run, Run)] == [("h2", ("h2/y",))]


def test_evidence_that_lags_is_read_again_before_work_is_repeated() -> None:
    """Another node may be behind when the work is reported: the evidence is read again before the work is handed out
    again.
    """
    executor = Executor([chain("a")], host_of)
    executor.start()
    executor.handle(Checked("a", Verdict(("h1/x",))))
    executor.handle(Ran("a", "h1"))
    for _ in range(LOOKS):
        assert names(executor.handle(Checked("a", Verdict(("h1/x",))))) == [("Check", "a")]
    assert names(executor.handle(Checked("a", Verdict(("h1/x",))))) == [("Run", "a")]


def test_a_failure_that_cannot_be_helped_fails_the_step_unless_the_chain_shows_it_done() -> None:
    """The chain is the truth: an agent's error counts only while the evidence is missing."""
    for verdict, expected in ((Verdict(()), "Settled"), (Verdict(("h1/x",)), "Failed")):
        executor = Executor([chain("a"), chain("b", "a")], host_of)
        executor.start()
        executor.handle(Checked("a", Verdict(("h1/x",))))
        assert names(executor.handle(Ran("a", "h1", "no money", retryable=False))) == [("Check", "a")]
        assert names(executor.handle(Checked("a", verdict)))[0] == (expected, "a")


def test_retryable_failures_are_bounded() -> None:
    """A step whose work keeps failing fails for good, with the agents' reasons."""
    executor = Executor([chain("a")], host_of)
    executor.start()
    for _ in range(ROUNDS):
        assert names(executor.handle(Checked("a", Verdict(("h1/x",))))) == [("Run", "a")]
        executor.handle(Ran("a", "h1", "busy", retryable=True))
    (failed,) = executor.handle(Checked("a", Verdict(("h1/x",))))
    assert isinstance(failed, Failed)
    assert failed.reason == "h1: busy"
    assert executor.finished


def test_steps_that_do_not_depend_on_a_failed_one_go_on() -> None:
    """Only steps that need the failed one stay undone."""
    executor = Executor([wait("a"), chain("b", "a"), chain("c")], host_of)
    assert names(executor.start()) == [("Check", "a"), ("Check", "c")]
    executor.handle(Checked("a", Verdict(("x",), "x is away")))
    (failed,) = executor.handle(Overdue("a"))
    assert isinstance(failed, Failed)
    assert "x is away" in failed.reason
    assert not executor.finished
    assert names(executor.handle(Checked("c", Verdict(())))) == [("Settled", "c")]
    assert executor.finished
    assert executor.handle(Overdue("a")) == []


def test_what_others_must_bring_about_parks_the_step() -> None:
    """Stake that nobody here can vote with: the boot ends for now, and nothing has failed."""
    executor = Executor([wait("a"), chain("b", "a")], host_of)
    executor.start()
    (parked,) = executor.handle(Checked("a", Verdict(("stake",), "150 are missing", elsewhere=True)))
    assert isinstance(parked, Parked)
    assert executor.finished


def test_nodes_are_started_on_their_hosts() -> None:
    """A node step's keys are its nodes."""
    step = NodeStep("n", "n", (), lambda _: ("h1/one", "h2/two"), NodeMode.NORMAL)
    executor = Executor([step], host_of)
    assert executor.start() == [Check(step, again=False)]
    assert names(executor.handle(Checked("n", Verdict(("h2/two",))))) == [("Run", "n")]


def test_evidence_out_of_reach_fails_the_step() -> None:
    """A step whose evidence cannot be read, before or after its work, fails with the reasons, and nothing loops."""
    executor = Executor([chain("a"), chain("b")], host_of)
    executor.start()
    (failed,) = executor.handle(Ran("a", "h", "no node runs"))
    assert isinstance(failed, Failed)
    assert failed.reason == "h: no node runs"
    executor.handle(Checked("b", Verdict(("h/1",))))
    assert names(executor.handle(Ran("b", "h", "its disk is full"))) == [("Check", "b")]
    (failed,) = executor.handle(Ran("b", "h", "its disk is full"))
    assert isinstance(failed, Failed)
    assert failed.reason == "h: its disk is full"
    assert executor.finished


def test_a_wait_that_is_over_says_why() -> None:
    """A wait for something that can no longer happen fails at once, with that reason."""
    executor = Executor([wait("w")], host_of)
    executor.start()
    executor.handle(Checked("w", Verdict(("h",), "0 of 2")))
    (failed,) = executor.handle(Overdue("w", "h: its disk is full"))
    assert isinstance(failed, Failed)
    assert failed.reason == "h: its disk is full"


def test_what_a_step_waits_for_names_the_event_since_which_it_does() -> None:
    """Pending on steps, running on hosts, or checking evidence; an event that changes nothing is not the cause."""
    executor = Executor([chain("a", parallel=True), wait("b", "a")], host_of)
    executor.start()
    assert executor.waiting()["b"] == Waiting(StepState.PENDING, "waits for a", 0, ("a",))
    executor.handle(Checked("a", Verdict(("h1/x", "h2/y"), "0 of 2"), id=1))
    assert executor.waiting()["a"] == Waiting(StepState.RUNNING, "waits for h1, h2 to carry it out", 1, ("h1", "h2"))
    executor.handle(Ran("a", "h1", id=2))
    assert executor.waiting()["a"] == Waiting(StepState.RUNNING, "waits for h2 to carry it out", 2, ("h2",))
    executor.handle(Ran("a", "h2", id=3))
    executor.handle(Checked("a", Verdict(()), id=4))
    executor.handle(Checked("b", Verdict(("p",), "p has not signed"), id=5))
    executor.handle(Checked("b", Verdict(("p",), "p has not signed"), id=6))
    assert executor.waiting()["b"] == Waiting(
        StepState.CHECKING, "waits for its evidence, which shows: p has not signed", 5, ("p",)
    )
    executor.handle(Overdue("b", id=7))
    assert executor.waiting()["b"] == Waiting(StepState.FAILED, "deadline passed: p has not signed", 7)


def test_another_attempt_says_what_the_one_before_failed_with() -> None:
    """The reason is seen while the attempt runs, not only after the last one."""
    executor = Executor([chain("a", parallel=True)], host_of)
    executor.start()
    executor.handle(Checked("a", Verdict(("h1/x",), "0 of 1"), id=1))
    executor.handle(Ran("a", "h1", "no disk space", retryable=True, id=2))
    executor.handle(Checked("a", Verdict(("h1/x",), "0 of 1"), id=3))
    said = "waits for h1 to carry it out (attempt 2 of 3); before: h1: no disk space"
    assert executor.waiting()["a"] == Waiting(StepState.RUNNING, said, 3, ("h1",))


def test_evidence_without_words_names_what_is_missing() -> None:
    """A few names, and how many more there are; a step that lacks nothing says so."""
    executor = Executor([chain("a", parallel=True)], host_of)
    executor.start()
    executor.handle(Checked("a", Verdict(tuple(f"h/{key}" for key in "stuvwxyz")), id=1))
    executor.handle(Ran("a", "h", id=2))
    said = "waits for its evidence, which shows: missing: h/s, h/t, h/u, h/v, h/w and 3 more"
    assert executor.waiting()["a"].what == said
    executor.handle(Checked("a", Verdict(()), id=3))
    assert executor.waiting()["a"] == Waiting(StepState.DONE, "nothing is missing", 3)


def test_a_step_behind_a_failed_one_says_so() -> None:
    """Its prerequisite will not be done in this run."""
    executor = Executor([wait("a"), wait("b", "a")], host_of)
    executor.start()
    executor.handle(Overdue("a", "no node runs", id=1))
    assert executor.waiting()["b"] == Waiting(StepState.PENDING, "waits for a, which failed", 1, ("a",))
