"""Which node takes the transactions that an account's agent pushes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coordinator.engine.access import NodeAccess
from inventory.network import Host
from protos import coordination_pb2 as pb
from tests.unit.coordinator.parties.crowd import make_network

OWN = "defproducera"


@pytest.mark.parametrize(
    ("apart", "state", "mode", "chosen"),
    [
        (False, "running", pb.MODE_GENESIS, "genesis"),
        (False, "running", pb.MODE_AUDIT, OWN),
        (False, "failed", pb.MODE_GENESIS, OWN),
        (True, "running", pb.MODE_GENESIS, OWN),
    ],
)
def test_the_genesis_node_while_it_signs(tmp_path: Path, apart: bool, state: str, mode: Any, chosen: str) -> None:
    """The genesis node, if it is on the account's host; elsewhere, or once it no longer signs, the account's own."""
    network = make_network(tmp_path)
    if apart:
        nodes = tuple(replace(one, host="other") if one.account == OWN else one for one in network.nodes)
        network = replace(network, nodes=nodes, hosts=(*network.hosts, Host("other", "10.0.0.2")))
    assert network.one_host is not apart
    status = pb.Status(nodes=[pb.NodeStatus(name="genesis", state=state, mode=mode)])
    link: Any = SimpleNamespace(connected=True, status=status)
    hub: Any = SimpleNamespace(links=dict.fromkeys(("local", "other"), link))
    assert NodeAccess(network, hub, lambda party: False).pusher(OWN).name == chosen
