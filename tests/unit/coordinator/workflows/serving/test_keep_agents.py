"""Local agents that end while a coordinator acts are restarted, a few times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.serving import keep_agents
from coordinator.workflows.serving.keep_agents import STARTS, agents_kept
from tests.unit.clock import played
from tests.unit.coordinator.engine.stage import Heard


class Machine:
    """Two hosts here and one far away; agents run, or end whenever they are looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: set[str] = set()
        self.mortal: set[str] = set()
        self.started: list[str] = []
        self.heard = Heard()
        hosts = [SimpleNamespace(name=name, local=name != "far", metrics="") for name in ("one", "two", "far")]
        self.opened = SimpleNamespace(
            network=SimpleNamespace(hosts=hosts, host=lambda name: hosts[0]), state=SimpleNamespace(host_data=Path),
            hub=None, connected=self.connected,
        )  # fmt: skip
        monkeypatch.setattr(keep_agents, "agent_runs", lambda data: data.name not in self.ended)
        monkeypatch.setattr(keep_agents, "ensure_agent", self.start)

    async def start(self, hub: object, host: str, data: Path, metrics: str) -> bool:
        self.started.append(host)
        self.ended -= {host} - self.mortal
        return True

    async def connected(self, hosts: Iterable[str], seconds: float) -> dict[str, str]:
        return {}

    async def beside(self, seconds: float) -> str:
        """What a block comes to that takes so long."""
        async with agents_kept(cast(OpenNetwork, self.opened), self.heard):
            await asyncio.sleep(seconds)
        return "done"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """All run."""
    return Machine(monkeypatch)


def test_agents_that_run_are_left_alone(machine: Machine) -> None:
    """Agents of other hosts are not looked for here: systemd manages them."""
    machine.ended = {"far"}
    assert played(machine.beside(60.0))[0] == "done"
    assert machine.started == []


def test_one_that_ends_is_started_again_and_that_is_said(machine: Machine) -> None:
    """The note says where to look for the reason."""
    machine.ended = {"two"}
    assert played(machine.beside(60.0))[0] == "done"
    assert machine.started == ["two"]
    assert machine.heard.notes == ["the agent of two ended and is started again (coord logs INVENTORY agent@two)"]


def test_one_that_keeps_ending_ends_the_command(machine: Machine) -> None:
    """After a few restarts, whatever the command is doing."""
    machine.ended = machine.mortal = {"two"}
    with pytest.raises(OperationFailed, match="the agent of two keeps ending; see coord logs"):
        played(machine.beside(600.0))
    assert machine.started == ["two"] * STARTS


def test_an_interruption_is_no_failure_of_an_agent(machine: Machine) -> None:
    """Ctrl-C ends the block as it always does."""

    async def interrupted() -> bool:
        work = asyncio.create_task(machine.beside(600.0))
        await asyncio.sleep(1)
        work.cancel()
        results = await asyncio.gather(work, return_exceptions=True)
        return isinstance(results[0], asyncio.CancelledError)

    assert played(interrupted())[0]
