"""Hosts' agents are told the leases until they have them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from coordinator.agents.announcing import AGAIN_SECONDS
from coordinator.agents.link import LinkError
from coordinator.parties.open_network import OpenNetwork
from coordinator.state.leases import Lease, Leases
from coordinator.workflows.serving.leases import tell_leases
from inventory.network import Node, Role
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.identity import Kind
from support.journal import Journal
from tests.unit.clock import played

FULL = pb.Result(error="the disk is full")
KEPT = pb.Result(ok=True)


class Agent:
    """The agent of the host `one`, where the producer's node runs."""

    def __init__(self, *answers: pb.Result | LinkError) -> None:
        self.answers = list(answers)
        self.told: list[list[str]] = []
        self.name, self.connected, self.hello = "one", True, object()

    async def task(self, body: pb.Leases, deadline: float) -> pb.Result:
        self.told.append([f"{lease.account} {lease.host}" for lease in body.leases])
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, LinkError):
            raise answer
        return answer


def told(agent: Agent, journal: Journal) -> list[list[str]]:
    """The leases that this agent was sent while an agent that refuses them was sent them three times."""
    node = Node("defproducera", "one", Role.PRODUCER, "defproducera", 1, 2)
    status = pb.NodeStatus(name=node.name, state=NodeState.RUNNING)
    entry = SimpleNamespace(name="one", kind=Kind.HOST)
    opened = SimpleNamespace(
        network=SimpleNamespace(nodes=[node]), state=SimpleNamespace(journal=journal),
        access=SimpleNamespace(status=lambda _: status),
        hub=SimpleNamespace(links={"one": agent}, register=SimpleNamespace(entries=lambda: [entry])),
    )  # fmt: skip

    async def looks() -> None:
        try:
            async with asyncio.timeout(2.5 * AGAIN_SECONDS):
                await tell_leases(cast(OpenNetwork, opened))
        except TimeoutError:
            return

    played(looks())
    return agent.told


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Of a coordinator that has handed out no lease yet."""
    return Journal(tmp_path / "journal.sqlite")


def test_a_host_whose_node_signs_gets_the_lease_and_is_told_once(journal: Journal) -> None:
    """Once per connection, while nothing changes."""
    assert told(Agent(KEPT), journal) == [["defproducera one"]]
    assert Leases(journal).all() == (Lease("defproducera", "one", 1, settled=True),)


@pytest.mark.parametrize("trouble", [FULL, LinkError("it is gone")])
def test_an_agent_that_could_not_keep_them_is_told_again(trouble: pb.Result | LinkError, journal: Journal) -> None:
    """Until it has them: another host's node may sign for a producer that this agent believes to be its own."""
    assert len(told(Agent(trouble, trouble, KEPT), journal)) == 3


def test_an_agent_that_refuses_is_told_now_and_then(journal: Journal) -> None:
    """An older one understands no leases; it is not told at each look."""
    assert len(told(Agent(FULL), journal)) == 3
