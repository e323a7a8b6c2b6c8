"""Hosts store the sealed network, or the boot continues without them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from coordinator.agents.link import RevokedError
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.workflows.starting.holding import hold
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb
from support.retry import DeadlineError


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
    notes: list[str] = []
    reporter = SimpleNamespace(note=notes.append)
    await hold(cast(OpenNetwork, opened), cast(Sealed, SimpleNamespace(manifest="ab" * 32)), cast(Reporter, reporter))
    return notes


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
