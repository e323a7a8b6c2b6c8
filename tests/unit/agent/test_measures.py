"""An agent's values for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from agent.errors import ConfigError
from agent.measures import exported, measures
from agent.nodes.state import NodeStatus
from boot.step import NodeMode
from protos.states import NodeState
from support.endpoint import Endpoint
from support.exporter import Gauge
from support.retry import poll
from tests.ports import free_port
from tests.unit.support.test_exporter import fetch

NODES = [
    NodeStatus("a", NodeState.RUNNING, NodeMode.NORMAL, head=20, lib=10, peers=3),
    NodeStatus("b", NodeState.FAILED, NodeMode.NORMAL),
]


def of(gauges: Sequence[Gauge]) -> dict[str, dict[tuple[str, ...], float]]:
    """By name."""
    return {gauge.name: dict(gauge.samples) for gauge in gauges}


def test_values_of_nodes_disk_and_certificate() -> None:
    """A node that does not run has no head."""
    found = of(measures(NODES, 7 << 30, True, 99.0))
    assert found["bootcoord_agent_node_running"] == {("a",): 1, ("b",): 0}
    assert found["bootcoord_agent_node_head_block"] == {("a",): 20}
    assert found["bootcoord_agent_node_irreversible_block"] == {("a",): 10}
    assert found["bootcoord_agent_node_peers"] == {("a",): 3}
    assert found["bootcoord_agent_disk_free_bytes"] == {(): 7 << 30}
    assert found["bootcoord_agent_coordinator_connected"] == {(): 1}
    assert found["bootcoord_agent_certificate_end_timestamp_seconds"] == {(): 99}


class Agent:
    """What is measured."""

    nodes: Any

    def __init__(self) -> None:
        self.nodes = self
        self.exports = ""

    async def status(self) -> list[NodeStatus]:
        """Its nodes."""
        return NODES

    def standing(self) -> tuple[int, bool, float]:
        """Disk, connection, certificate."""
        return 5, False, 9.0


async def test_an_agent_exports_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Over HTTP. Where the port is taken, its log says so, and it exports once the port is free."""
    monkeypatch.setattr("agent.measures.EVERY_SECONDS", 0.05)
    first, second = (cast("Any", Agent()) for _ in range(2))
    endpoint = Endpoint("127.0.0.1", free_port())

    async def exports(agent: Agent) -> bool:
        return bool(agent.exports) and "bootcoord_agent_disk_free_bytes 5.0" in fetch(endpoint)

    async def said() -> bool:
        return "cannot listen at" in caplog.text

    async with exported(first, str(endpoint)):
        await poll(lambda: exports(first), what="its values", deadline=10)
        beside = exported(second, str(endpoint))
        await beside.__aenter__()
        await poll(said, what="that the port is taken", deadline=10)
        assert second.exports == ""
    await poll(lambda: exports(second), what="the other's values", deadline=10)
    await beside.__aexit__(None, None, None)
    assert caplog.text.count("cannot listen at") == 1


async def test_an_address_that_is_none_is_refused() -> None:
    """Before anything listens."""
    with pytest.raises(ConfigError, match="cannot listen at nowhere"):
        async with exported(cast("Any", Agent()), "nowhere"):
            pass
