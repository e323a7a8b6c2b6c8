"""How a node's mode stands in a message: `genesis` as MODE_GENESIS, by the names that boot.step.NodeMode has."""

from __future__ import annotations

from protos import coordination_pb2 as pb

_PREFIX = "MODE_"


def number(name: str) -> pb.Mode.ValueType:
    """The number of a mode's name. Raises ValueError for a name that the protocol does not have."""
    return pb.Mode.Value(_PREFIX + name.upper())


def name(value: int) -> str:
    """The name of a mode's number. Raises ValueError for one that this version's protocol does not have."""
    return pb.Mode.Name(value).removeprefix(_PREFIX).lower()  # type: ignore[arg-type] # a newer peer's number is any
