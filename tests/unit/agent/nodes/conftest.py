"""The simulated machine, in the place of processes."""

from __future__ import annotations

import pytest

from agent.nodeos.probe import Capabilities
from agent.nodes import relaunching, state, supervisor, tracked, watching
from agent.nodes.folder import NodeFolder, NodeRecord
from agent.nodes.state import NodeStatus
from protos.states import NodeState
from support.processes import Process
from tests.unit.agent.nodes.machine import Machine


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """No other process runs; looks are frequent, and pauses short."""
    machine = Machine()

    async def probe(*_: object) -> Capabilities:
        return Capabilities("5" * 64, "v5", frozenset({"max-clients"}), ())

    async def unused(folder: NodeFolder) -> None:
        """Nobody else has it open."""

    async def look(record: NodeRecord, pid: int, client: object) -> NodeStatus:
        return NodeStatus(record.spec.name, NodeState.RUNNING, record.mode, pid)

    monkeypatch.setattr(Process, "alive", property(lambda process: process.pid in machine.living))
    monkeypatch.setattr("agent.nodes.supervisor.node_processes.running", machine.running)
    monkeypatch.setattr("agent.nodes.watching.nodelogs.ensure", lambda _: None)
    monkeypatch.setattr(relaunching, "probe", probe)
    monkeypatch.setattr(tracked, "look", look)
    monkeypatch.setattr(relaunching, "bring_up", machine.bring_up)
    monkeypatch.setattr(supervisor, "halt", machine.halt)
    monkeypatch.setattr(relaunching, "halt", machine.halt)
    monkeypatch.setattr(relaunching, "check_room", lambda _: None)
    monkeypatch.setattr(supervisor, "check_unused", unused)
    monkeypatch.setattr(relaunching, "command_of", lambda *_: ("nodeos",))
    monkeypatch.setattr(relaunching, "NodeClient", lambda _: machine.client)
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(state, "PAUSES", (0.0, 0.01, 0.01))
    return machine
