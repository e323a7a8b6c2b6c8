"""What the report of a launch is made of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from antelope.errors import Unreachable
from boot.blueprint import Blueprint
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.launch import gathering as module
from coordinator.report.launch.gathering import launch_report
from coordinator.report.status import Phase
from inventory.network import Node, Role
from inventory.planned import PlannedProducer
from protos import coordination_pb2 as pb
from protos.states import NodeState
from tests.unit.agent.party.conftest import sealed_network

LATER = PlannedProducer("defproducerx", "defproducerx", "", 0, True, 0)


def opened(folder: Path, query: Any, monkeypatch: pytest.MonkeyPatch) -> OpenNetwork:
    """A booted network to which a producer was added since, on two hosts; query: what their agents answer."""
    bundle = sealed_network(folder)
    nodes = [Node(name, name, Role.PRODUCER, name, 1, 2) for name in ("genesis", "defproducerx")]
    links = {
        node.host: SimpleNamespace(
            query=query, connected=True,
            status=SimpleNamespace(nodes=[pb.NodeStatus(name=node.name, state=NodeState.RUNNING)]),
        )
        for node in nodes
    }  # fmt: skip
    parties = SimpleNamespace(parties=tuple, attestations=dict, upgrades=frozenset)

    async def answer(*_: object) -> Any:
        return SimpleNamespace(phase=Phase.LIVE, schedule=("defproducerx",), to_json=dict)

    monkeypatch.setattr(module, "audit_chain", answer)
    monkeypatch.setattr(module, "gather", answer)
    monkeypatch.setattr(module, "members", lambda *_: ())
    return cast(
        OpenNetwork,
        SimpleNamespace(
            sealed=bundle.sealed, parties=parties,
            blueprint=lambda sealed: Blueprint(sealed, bundle.artifacts.__getitem__),
            state=SimpleNamespace(pushes=dict, steps=dict), hub=SimpleNamespace(links=links),
            access=SimpleNamespace(reader=nodes[0], link=links.__getitem__),
            network=SimpleNamespace(
                nodes=nodes, later=(LATER,), p2p=lambda node: f"{node.host}:1", holder=lambda account: "one"
            ),
        ),
    )  # fmt: skip


async def test_a_producer_that_joined_later_is_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its account is not sealed: without its name, the audit from the report would call it foreign."""

    async def query(*_: object) -> Any:
        raise Unreachable("no node here")

    report = await launch_report(opened(tmp_path, query, monkeypatch))
    assert report.late_accounts == (LATER.account,)
    assert [node.version for node in report.nodes] == ["", ""]


async def test_nodes_are_asked_for_their_versions_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that is slow to answer delays no other: here each answers only once all have been asked."""
    everyone = asyncio.Barrier(2)

    async def query(node: str, path: str, body: object = None) -> Any:
        if path.endswith("get_info"):
            await everyone.wait()
            return {"server_version_string": f"v5 of {node}"}
        raise Unreachable("no block here")

    async with asyncio.timeout(5):
        report = await launch_report(opened(tmp_path, query, monkeypatch))
    assert [node.version for node in report.nodes] == ["v5 of genesis", "v5 of defproducerx"]
