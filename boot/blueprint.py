"""The blueprint, from which steps and audit derive everything: the sealed network with its artifacts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from antelope.asset import Symbol
from antelope.genesis import Genesis
from inventory.rows import Allocation
from inventory.sealed import Sealed


@dataclass(frozen=True)
class NodeRef:
    """A node of the network as evidence sees it: its name and the producer that it signs for."""

    name: str
    account: str | None


@dataclass(frozen=True)
class Blueprint:
    """A sealed network, its artifacts, and (on the coordinator's side) its nodes."""

    sealed: Sealed
    artifact: Callable[[str], bytes]
    """The artifacts' bytes by sha256 (hex). Raises KeyError if one is not here."""
    nodes: tuple[NodeRef, ...] = ()

    @cached_property
    def rows(self) -> Allocation:
        """The allocation, in the order of application. Raises as `verified`; ValueError for a wrong number of rows."""
        rows = Allocation(self.verified(self.sealed.allocation))
        if len(rows) != self.sealed.accounts:
            raise ValueError(f"the allocation has {len(rows)} rows, sealed are {self.sealed.accounts}")
        return rows

    @cached_property
    def genesis(self) -> Genesis:
        """What the chain starts from. Raises BadGenesis."""
        return Genesis.from_json(json.dumps(dict(self.sealed.genesis)))

    @cached_property
    def symbol(self) -> Symbol:
        """The core symbol."""
        return Symbol.parse(self.sealed.symbol)

    def verified(self, sha256: str) -> bytes:
        """An artifact whose hash was checked. Raises KeyError if it is not here, ValueError if its hash is wrong."""
        data = self.artifact(sha256)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"artifact {sha256[:16]}… holds other bytes")
        return data
