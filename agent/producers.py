"""Keeps the producers' p2p endpoints for an outage without a coordinator."""

from __future__ import annotations

import json
from collections.abc import Iterable

from agent.endpoints import checked
from agent.memory import Memory
from antelope.elections import MAX_PRODUCERS
from protos import coordination_pb2 as pb


class ProducerEndpoints:
    """The p2p endpoints (HOST:PORT) of producers' nodes, as the coordinator last told them. They are in the journal."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def keep(self, endpoints: Iterable[str]) -> None:
        """Replaces the known endpoints. Raises DutyError for an invalid one."""
        told = checked(tuple(dict.fromkeys(endpoints)), MAX_PRODUCERS, "producers' endpoints")
        self._memory.keep(producers=json.dumps(told))

    async def take(self, told: pb.Producers) -> None:
        """The `producers` duty: stores the endpoints that the coordinator names. Raises DutyError."""
        self.keep(told.endpoints)

    @property
    def known(self) -> tuple[str, ...]:
        """The endpoints; empty until a coordinator names some."""
        return tuple(json.loads(self._memory.get("producers") or "[]"))
