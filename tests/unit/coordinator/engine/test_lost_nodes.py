"""When a node that failed is not waited for any longer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coordinator.engine.access import NodeAccess
from coordinator.engine.lost_nodes import LostNodeError, LostNodes
from inventory.network import Node, Role
from inventory.sealed import Sealed
from protos import coordination_pb2 as pb

GENESIS = Node("genesis", "h1", Role.GENESIS, "eosio", 9876, 8888)
ALICE = Node("alice", "h2", Role.PRODUCER, "alice", 9876, 8888)
RELAY = Node("relay", "h2", Role.FULL, None, 9877, 8889)
FULL = pb.NodeStatus(state="failed", detail="node alice: its disk is full", lasting=True)
DIED = pb.NodeStatus(state="failed", detail="node alice: nodeos was killed, or crashed")


def broken(**statuses: pb.NodeStatus) -> tuple[LostNodes, dict[str, pb.NodeStatus]]:
    """Of three nodes of which alice is to be elected, and what their agents say of them (it may be changed)."""
    access: Any = SimpleNamespace(
        network=SimpleNamespace(nodes=(GENESIS, ALICE, RELAY)), status=lambda node: statuses.get(node.name)
    )
    return LostNodes(cast(NodeAccess, access), cast(Sealed, SimpleNamespace(elected=("alice",)))), statuses


def test_only_what_takes_a_person_is_broken() -> None:
    """A node that died is restarted by its agent, and the node of an absent agent may be well: both are waited for."""
    found, statuses = broken(alice=FULL)
    assert found.why(ALICE) == FULL.detail
    assert found.why(GENESIS) == ""
    statuses["alice"] = DIED
    assert found.why(ALICE) == ""
    found.tried(("alice",))  # its step has failed: nobody starts it again in this run
    assert found.why(ALICE) == DIED.detail
    statuses["alice"] = pb.NodeStatus(state="running")
    assert found.why(ALICE) == ""


def test_only_nodes_that_sign_end_a_wait() -> None:
    """The failure of the genesis node or an elected producer's is reported with its host; a relay's delays nothing."""
    found, _ = broken(alice=FULL, genesis=FULL, relay=FULL)
    assert found.signers() == f"h1: {FULL.detail}; h2: {FULL.detail}"
    assert broken(relay=FULL)[0].signers() == ""


async def test_work_ends_with_its_node() -> None:
    """Work with a node is given up once the node has failed for good; otherwise it ends by itself."""
    found, statuses = broken()

    async def for_ever() -> None:
        statuses["alice"] = FULL
        await asyncio.Event().wait()

    async def fails() -> None:
        raise ValueError("its own")

    with pytest.raises(LostNodeError, match="its disk is full"):
        await found.unless(ALICE, for_ever())
    with pytest.raises(ValueError, match="its own"):
        await found.unless(GENESIS, fails())
