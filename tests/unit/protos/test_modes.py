"""A node's mode in a message."""

from __future__ import annotations

import pytest

from boot.step import NodeMode
from protos import coordination_pb2 as pb
from protos import modes


def test_every_mode_of_a_node_has_its_number() -> None:
    """And only these, with the numbers that messages have always had; a newer peer's number is an error."""
    assert {mode: modes.number(mode.value) for mode in NodeMode} == {
        NodeMode.GENESIS: 1,
        NodeMode.NORMAL: 2,
        NodeMode.STARTER: 3,
        NodeMode.AUDIT: 4,
    }
    assert [NodeMode(modes.name(number)) for number in (1, 2, 3, 4)] == list(NodeMode)
    assert modes.name(pb.MODE_RECORDED) == "recorded"
    for unknown in (6, 99, -1):
        with pytest.raises(ValueError, match=str(unknown)):
            modes.name(unknown)
