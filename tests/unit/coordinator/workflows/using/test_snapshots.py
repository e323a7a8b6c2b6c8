"""Which snapshots there are: those of the coordinator and of the operator's own hosts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from coordinator.parties.open_network import OpenNetwork
from coordinator.workflows.using.snapshots import SnapshotAction, SnapshotRequest, do
from inventory.network import Node, Role
from protos import coordination_pb2 as pb
from support.snapshots import SnapshotStore
from tests.unit.coordinator.engine.stage import Heard


async def test_a_snapshot_that_a_party_claims_is_not_listed(tmp_path: Path) -> None:
    """With the highest block it would be the newest, which `fetch` and `restart` take; nobody could bring it."""

    def link(*snapshots: pb.Snapshot) -> Any:
        return SimpleNamespace(connected=True, status=pb.Status(snapshots=snapshots))

    kept = pb.Snapshot(sha256="a" * 64, size=9, block=100, block_id="00", node="genesis")
    false = pb.Snapshot(sha256="b" * 64, size=9, block=(1 << 32) - 1, block_id="00", node="genesis")
    broken = pb.Snapshot(sha256="no sha256")
    opened = SimpleNamespace(
        network=SimpleNamespace(nodes=[Node("genesis", "one", Role.GENESIS, "eosio", 1, 2)]), access=None,
        state=SimpleNamespace(snapshots=SnapshotStore(tmp_path), host_data=tmp_path.joinpath),
        hub=SimpleNamespace(links={"one": link(kept), "mallory": link(false, broken)}),
    )  # fmt: skip
    found = await do(cast(OpenNetwork, opened), SnapshotRequest(SnapshotAction.LIST), Heard())
    assert [(one["block"], one["hosts"]) for one in found["snapshots"]] == [(100, ["one"])]
