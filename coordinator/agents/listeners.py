"""What the hub tells others: parties' messages to their handler, and what happens to agents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from coordinator.agents.connection import Connection
from protos import coordination_pb2 as pb
from support.identity import Identity


class PartyHandler(Protocol):
    """Answers parties: redeems their invitations and checks what they register."""

    @property
    def chain_id(self) -> str:
        """The sealed network's chain id, hex; empty before the seal."""

    def registered(self, connection: Connection, registration: pb.Registration) -> str:
        """A party registers. Returns why the message is rejected; empty if it will be answered."""

    def left(self, connection: Connection, leave: pb.Leave) -> None:
        """A party leaves the network."""

    def redeem(self, identity: Identity, fingerprint: str, request: pb.JoinRequest) -> bytes:
        """The certificate (PEM) for a party that connected with its invitation's. Raises JoinRefused."""


class Happening(StrEnum):
    """What happened to an agent."""

    JOINED = "joined"
    LOST = "lost"
    REVOKED = "revoked"


@dataclass(frozen=True)
class AgentEvent:
    """An agent connected, disconnected or was revoked."""

    what: Happening
    name: str
    detail: str = ""
