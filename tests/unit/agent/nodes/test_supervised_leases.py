"""A node runs with its key or without, as its producer's lease says, on a simulated machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.memory import Memory
from agent.nodes import launch as launching
from agent.nodes.leases import Leases
from agent.nodes.supervisor import Nodes
from support.journal import Journal
from tests.unit.agent.nodes.machine import SPEC, Machine, becomes, run, signer


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    """Of the machine's agent."""
    return Leases(Memory(Journal(tmp_path / "journal.sqlite")))


async def _opened(tmp_path: Path, leases: Leases) -> Nodes:
    nodes = Nodes(tmp_path, signer, leases=leases)
    await nodes.open()
    return nodes


async def test_a_node_gets_its_key_when_the_lease_is_given(tmp_path: Path, machine: Machine, leases: Leases) -> None:
    """Nobody knows when it signed last: it follows the chain without a key, says so, and signs once it may."""
    nodes = await _opened(tmp_path, leases)
    await run(nodes)
    (status,) = await nodes.status()
    assert status.withheld == "it looks first whether another node signs as prod"
    folder = machine.launched[0].folder
    assert "signature-provider" not in folder.config.read_text()
    await nodes.set_peers("prod-a", ["h:9"])
    assert "signature-provider" not in folder.config.read_text()
    leases.given("prod", 1, look=False)
    await nodes.start(SPEC, None)
    (status,) = await nodes.status()
    assert status.withheld == ""
    assert "signature-provider" in folder.config.read_text()
    await nodes.close()


async def test_a_node_whose_lease_is_taken_goes_on_without_its_key(
    tmp_path: Path, machine: Machine, leases: Leases
) -> None:
    """It pauses at once and is started again; also after a crash, and by the next agent, it has no key."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await run(nodes)
    folder = machine.launched[0].folder
    leases.taken("prod", "another signs")
    await nodes.withhold("prod-a")
    assert ("call", "/v1/producer/pause") in machine.client.calls
    assert "signature-provider" not in folder.config.read_text()
    machine.crash()
    await becomes(lambda: len(machine.launched) == 3)
    await nodes.close()
    again = await _opened(tmp_path, leases)
    (status,) = await again.status()
    assert status.withheld == "another signs"
    assert "signature-provider" not in folder.config.read_text()
    await again.close()


async def test_a_node_that_may_not_sign_is_stopped_even_if_it_could_not_start_again(
    tmp_path: Path, machine: Machine, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full: better no node than two that sign for one producer."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await run(nodes)
    monkeypatch.setattr(launching, "LEAST_SPACE", 1 << 60)
    leases.taken("prod", "another signs")
    await nodes.withhold("prod-a")
    assert machine.halted == [4711]
    await nodes.close()


async def test_a_crash_costs_no_look(tmp_path: Path, machine: Machine, leases: Leases) -> None:
    """The agent saw it alive a moment ago: it signs again at once, without any coordinator."""
    leases.given("prod", 1, look=False)
    nodes = await _opened(tmp_path, leases)
    await run(nodes)
    leases.parted()
    machine.crash()
    await becomes(lambda: len(machine.launched) == 2)
    assert "signature-provider" in machine.launched[0].folder.config.read_text()
    await nodes.close()
