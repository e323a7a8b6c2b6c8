"""A network that a command has opened: its state, connected agents, nodes and parties."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from boot.blueprint import Blueprint, NodeRef
from coordinator.advising import typed
from coordinator.agents.hub import Hub
from coordinator.engine.access import NodeAccess
from coordinator.errors import OperationFailed
from coordinator.parties.reception import Reception
from coordinator.parties.store import PartyStore
from coordinator.state.folder import StateFolder
from inventory.network import Network
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll


@dataclass(frozen=True)
class OpenNetwork:
    """A network with its hub open: what a command works with."""

    network: Network
    state: StateFolder
    hub: Hub
    access: NodeAccess
    reception: Reception

    @property
    def parties(self) -> PartyStore:
        """The parties' table."""
        return self.reception.store

    @property
    def sealed(self) -> Sealed:
        """The sealed network. Raises OperationFailed before the seal."""
        sealed = self.state.sealed
        if sealed is None:
            raise OperationFailed(f"{self.network.name} was never booted; run: {typed('boot')}")
        return sealed

    @property
    def party_endpoints(self) -> frozenset[str]:
        """Every p2p endpoint at which a party's node was ever reached, or is being dialled."""
        found = ((party.endpoint, party.dialled) for party in self.parties.parties())
        return frozenset(endpoint for pair in found for endpoint in pair if endpoint)

    def blueprint(self, sealed: Sealed, network: Network | None = None) -> Blueprint:
        """The sealed network with the nodes that evidence may be read from: those of the inventory, or of `network`."""
        nodes = tuple(NodeRef(node.name, node.account) for node in (network or self.network).nodes)
        return Blueprint(sealed, self.state.artifacts.get, nodes)

    async def connected(self, hosts: Iterable[str], seconds: float) -> dict[str, str]:
        """Waits until these hosts' agents are connected and have reported their nodes. Returns the missing ones, each
        with the reason."""

        async def one(host: str) -> None:
            link = await self.hub.agent(host, seconds)

            async def told() -> bool:
                return link.status is not None

            await poll(told, what=f"the agent of {host} to report", deadline=seconds)

        names = tuple(hosts)
        results = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
        missing: dict[str, str] = {}
        for name, result in zip(names, results, strict=True):
            if isinstance(result, DeadlineError):
                missing[name] = str(result)
            elif result is not None:
                missing[name] = str(result) or type(result).__name__
        return missing
