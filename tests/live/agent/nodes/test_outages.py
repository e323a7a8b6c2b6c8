"""All nodes of a chain are stopped and their agents restarted, without a coordinator: the chain comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.keys import KeyStore
from agent.memory import Memory
from agent.nodes.outages import patience, watch_outages
from agent.nodes.supervisor import Nodes
from agent.producers import ProducerEndpoints
from antelope.http import NodeClient
from boot.step import NodeMode
from protos.states import NodeState
from support import processes
from support.journal import Journal
from support.retry import poll
from tests.live.coordinator.network import Network

pytestmark = [pytest.mark.live, pytest.mark.campaign]

PRODUCERS = ("defproducera", "defproducerb")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A booted chain with two producers that sign in turn: nothing becomes irreversible unless both run.

    Neither is the other's peer: both dial the genesis node alone.
    """
    network = Network(tmp_path, "back")
    network.write('[topology]\nkind = "star"', elected=2)
    try:
        network.boot()
        yield network
    finally:
        network.down()


async def _head(network: Network) -> tuple[int, str]:
    async with NodeClient(network.http(PRODUCERS[1])) as node:
        info = await node.get_info()
        return info.head_block_num, info.head_block_producer


async def test_a_total_outage_ends_without_a_coordinator(network: Network) -> None:
    """Three rounds after everything was stopped and restarted, the first of the schedule begins, and both sign. By then
    it has found the other at the endpoint that the coordinator had told it.
    """
    before, _ = await _head(network)
    await asyncio.to_thread(_reboot, network)
    producers = ProducerEndpoints(Memory(Journal(network.data / "journal.sqlite")))
    assert set(producers.known) == {f"127.0.0.1:{network.ports[name][0]}" for name in PRODUCERS}
    nodes = Nodes(network.data, KeyStore(network.data / "keys").signers)
    await nodes.open()
    watching = asyncio.create_task(watch_outages(nodes, producers))
    seen: set[str] = set()

    async def moving() -> bool:
        number, producer = await _head(network)
        seen.update([producer] if number > before + 2 else [])
        return set(PRODUCERS) <= seen

    try:
        await poll(lambda: _running(nodes), what="both nodes to run again", deadline=60)
        await poll(moving, what="blocks of both producers", deadline=3 * patience(PRODUCERS, PRODUCERS[0]))
        modes = [nodes.record(name).mode for name in PRODUCERS]
        assert modes == [NodeMode.STARTER, NodeMode.NORMAL]
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await nodes.close()


def _reboot(network: Network) -> None:
    """Ends the agent without a restart, and the nodes, which are still meant to run."""
    ran = network.processes()
    assert set(PRODUCERS) <= ran.keys()
    processes.stop(ran.pop("agent"))
    processes.stop_all(ran.values)


async def _running(nodes: Nodes) -> bool:
    running = {status.name for status in await nodes.status() if status.state is NodeState.RUNNING}
    return set(PRODUCERS) <= running
