"""The block whose state parties sign is chosen by the operator's own nodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.vouchers import LEAD, next_block
from inventory.network import Node, Role
from protos import coordination_pb2 as pb


def test_a_party_cannot_move_the_block_out_of_reach() -> None:
    """Its agent claims a head that no chain has: the snapshot of all would wait for it in vain."""
    own = [Node("genesis", "one", Role.GENESIS, "eosio", 1, 2), Node("full", "one", Role.FULL, None, 3, 4)]
    heads = {"genesis": 100, "mallory": (1 << 32) - 1}
    statuses = {name: pb.NodeStatus(name=name, head=head) for name, head in heads.items()}
    link = SimpleNamespace(connected=True, status=pb.Status(nodes=[statuses["mallory"]]))
    opened = SimpleNamespace(
        network=SimpleNamespace(nodes=own), access=SimpleNamespace(status=lambda node: statuses.get(node.name)),
        hub=SimpleNamespace(links={"mallory": link}),
    )  # fmt: skip
    assert next_block(cast(OpenNetwork, opened)) == 100 + LEAD
