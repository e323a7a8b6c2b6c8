"""How a boot continues after a crash that lost blocks, with a simulated runner; and what it does without hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.plan import make_plan
from boot.step import NodeMode, NodeStep, Step
from coordinator.agents.link import AgentLink, AwayError
from coordinator.engine.outcome import Outcome
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows import boot
from coordinator.workflows.boot import CRASHES, run_through
from coordinator.workflows.serving import keep_agents
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError
from tests.unit.loop import recording

HOST = SimpleNamespace(name="h1", local=True, metrics="")

PLAN = make_plan([NodeStep("a", "a", (), lambda _: (), NodeMode.NORMAL)])


class Pretends:
    """A runner whose runs end as given, and a reporter."""

    def __init__(self, failures: Sequence[str], lost: Sequence[str]) -> None:
        self.failures = list(failures)
        self.gone = tuple(lost)
        self.notes: list[str] = []

    async def run(self, steps: Sequence[Step]) -> Outcome:
        reason = self.failures.pop(0) if self.failures else ""
        return Outcome(steps, acted=["a"], failed={"a": reason} if reason else {})

    async def lost(self, outcome: Outcome) -> tuple[str, ...]:
        return self.gone

    def note(self, text: str) -> None:
        self.notes.append(text)


async def test_a_sealed_boot_does_not_wait_again_for_hosts_that_are_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that need such a host fail at once, instead of waiting for its agent for minutes."""

    async def missing(*_: object) -> dict[str, str]:
        return {"h3": "no SSH at 10.0.0.3", "h4": "it was never installed"}

    monkeypatch.setattr(boot, "_missing", missing)
    links = {name: AgentLink(name, lambda: 1) for name in ("h2", "h3")}
    sealed = cast(Sealed, object())
    opened = SimpleNamespace(
        network=SimpleNamespace(genesis_node=SimpleNamespace(host="h1")),
        state=SimpleNamespace(sealed=sealed),
        hub=SimpleNamespace(links=links),
    )
    assert await boot._sealed(cast(OpenNetwork, opened), {}, cast(Reporter, Pretends([], []))) is sealed
    with pytest.raises(AwayError, match="the agent of h3 is away"):
        await links["h3"].task(pb.Recount(step="n"))
    with pytest.raises(DeadlineError):
        await links["h2"].task(pb.Recount(step="n"), deadline=0.01)


async def test_a_boot_that_ends_before_the_seal_stops_local_agents_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopping one takes seconds; agents of other hosts keep running. The boot's own reason is reported."""
    on_loop: list[bool] = []
    stopped: list[Path] = []

    async def fails(*_: object) -> Sealed:
        raise OperationFailed("h2 has no keys")

    monkeypatch.setattr(boot, "_sealed", fails)
    monkeypatch.setattr(boot, "stop_agent", recording(stopped.append, on_loop))
    hosts = [SimpleNamespace(name="h1", local=True), SimpleNamespace(name="h2", local=False)]
    state = SimpleNamespace(sealed=None, host_data=Path)
    opened = cast(OpenNetwork, SimpleNamespace(network=SimpleNamespace(hosts=hosts), state=state))
    with pytest.raises(OperationFailed, match="h2 has no keys"):
        await boot._sealed_or_stopped(opened, {}, cast(Reporter, Pretends([], [])))
    assert (stopped, on_loop) == ([Path("h1")], [False])


async def through(pretends: Pretends) -> Outcome:
    return await run_through(cast(Runner, pretends), PLAN, cast(Reporter, pretends))


async def test_lost_blocks_are_made_again() -> None:
    """A step that failed because an earlier one was undone is retried, and that is reported."""
    pretends = Pretends(["the RAM market is not open yet"], ["system-contract"])
    outcome = await through(pretends)
    assert (outcome.failed, outcome.acted) == ({}, ["a"])
    assert len(pretends.notes) == 1
    assert "system-contract" in pretends.notes[0]


async def test_other_failures_are_final() -> None:
    """If nothing was undone, the failure is the result at once; a node that keeps crashing ends the boot, too."""
    final = Pretends(["refused", "refused"], [])
    assert (await through(final)).failed == {"a": "refused"}
    assert final.failures == ["refused"]
    crashing = Pretends(["gone"] * 9, ["genesis"])
    assert (await through(crashing)).failed == {"a": "gone"}
    assert len(crashing.failures) == 9 - CRASHES


@pytest.mark.parametrize(
    ("words", "kills", "starts", "missing"),
    [
        ("", 1, 1, {}),
        ("", 9, 1, {"h1": "its agent has ended without a word"}),
        ("no space", 1, 0, {"h1": "its agent has ended: no space"}),
    ],
)
async def test_an_agent_that_is_killed_before_it_connects(
    monkeypatch: pytest.MonkeyPatch, words: str, kills: int, starts: int, missing: dict[str, str]
) -> None:
    """It is started once more, as later; one that is killed again, or says why it ended, is told as missing."""
    started: list[str] = []

    async def connected(hosts: Sequence[str], seconds: float) -> dict[str, str]:
        if len(started) < kills:
            await asyncio.Event().wait()
        return {}

    async def ensure_agent(hub: object, host: str, data: Path, metrics: str) -> bool:
        started.append(host)
        return True

    monkeypatch.setattr(boot, "agent_runs", lambda data: len(started) >= kills)
    monkeypatch.setattr(boot, "last_words", lambda data: words)
    monkeypatch.setattr(keep_agents, "ensure_agent", ensure_agent)
    opened: Any = SimpleNamespace(
        network=SimpleNamespace(hosts=[HOST], host=lambda name: HOST), hub=None, connected=connected,
        state=SimpleNamespace(host_data=Path),
    )  # fmt: skip
    reporter = Pretends([], [])
    assert await boot._connected(opened, ["h1"], cast(Reporter, reporter)) == missing
    assert started == ["h1"] * starts
    assert [note.partition(" (")[0] for note in reporter.notes] == [
        "the agent of h1 ended and is started again"
    ] * starts
