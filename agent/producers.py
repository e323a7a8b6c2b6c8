"""Where the producers' nodes are, kept for the day on which no block comes and no coordinator is there to ask."""

from __future__ import annotations

import json
from collections.abc import Iterable

from agent.errors import DutyError
from agent.memory import Memory
from antelope.elections import MAX_PRODUCERS
from protos import coordination_pb2 as pb
from support.endpoint import dialable


class ProducerEndpoints:
    """The p2p endpoints of producers' nodes (HOST:PORT), as the coordinator told them last. They outlive the agent."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def keep(self, endpoints: Iterable[str]) -> None:
        """Takes these instead of those that were known. Raises DutyError where one cannot be an endpoint."""
        told = tuple(dict.fromkeys(endpoints))
        if len(told) > MAX_PRODUCERS:
            raise DutyError(f"refused: {len(told)} endpoints of producers, more than {MAX_PRODUCERS}")
        for endpoint in told:
            if not dialable(endpoint):
                raise DutyError(f"refused: the endpoint {endpoint[:80]!r} is not HOST:PORT")
        self._memory.keep(producers=json.dumps(told))

    async def take(self, told: pb.Producers) -> None:
        """The duty of that name: keeps what the coordinator tells. Raises DutyError."""
        self.keep(told.endpoints)

    @property
    def known(self) -> tuple[str, ...]:
        """As they were told; none before a coordinator told any."""
        return tuple(json.loads(self._memory.get("producers") or "[]"))
