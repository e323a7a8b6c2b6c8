"""How a boot continues after a crash that lost blocks, with a simulated runner; and which hosts it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from boot.plan import make_plan
from boot.step import NodeMode, NodeStep, Step
from coordinator.agents.link import RevokedError
from coordinator.engine.outcome import Outcome
from coordinator.engine.runner import Runner
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows import boot
from coordinator.workflows.boot import CRASHES, hold, run_through
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


class Agent:
    """An agent that takes a sealed network as it is told to."""

    def __init__(self, name: str, outcome: pb.Result | Exception) -> None:
        self.name = name
        self.outcome = outcome
        self.connected = True

    async def task(self, body: object, deadline: float) -> pb.Result:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def held(*agents: Agent) -> list[str]:
    """What is said while these hosts' agents, of which h1 has the genesis node, take the sealed network."""
    hosts = [SimpleNamespace(name=agent.name) for agent in agents]
    network = SimpleNamespace(
        hosts=hosts, genesis_node=SimpleNamespace(host="h1"), parties=SimpleNamespace(wait_for=())
    )
    links = {agent.name: agent for agent in agents}
    opened = SimpleNamespace(
        network=network, hub=SimpleNamespace(links=links), parties=SimpleNamespace(parties=lambda: ())
    )
    reporter = Pretends([], [])
    await hold(cast(OpenNetwork, opened), cast(Sealed, SimpleNamespace(manifest="ab" * 32)), cast(Reporter, reporter))
    return reporter.notes


async def test_a_host_that_cannot_take_the_sealed_network_does_not_end_the_boot() -> None:
    """Whatever the trouble, it counts as switched off. Only the genesis node's host is needed."""
    full = pb.Result(error="no space left on device")
    well = Agent("h1", pb.Result(ok=True))
    notes = await held(
        well, Agent("h2", full), Agent("h3", DeadlineError("hold on h3", 120)), Agent("h4", RevokedError("x"))
    )
    assert [note.partition(":")[0] for note in notes] == ["h2", "h3", "h4"]
    assert notes[0] == (
        "h2: it cannot store the sealed network: no space left on device; the boot continues without it"
    )
    with pytest.raises(OperationFailed, match="h1: no space left on device"):
        await held(Agent("h1", full), Agent("h2", pb.Result(ok=True)))


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
