"""What one command has of a network: its state, the hub, and the connected agents."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from boot.blueprint import Blueprint, NodeRef
from coordinator.agents.hub import BusyError, Hub
from coordinator.agents.register import Register
from coordinator.engine.access import NetworkDesk
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.deploy.login import first_hop
from coordinator.parties.registrations import Desk
from coordinator.parties.rules import RulesOf
from coordinator.state.folder import State
from inventory.network import Network
from inventory.sealed import Sealed
from support.retry import DeadlineError, poll, retrying
from support.tls import Kind

DIAL_SECONDS = 30.0
"""Seconds; an agent redials within 2 s, and one that was just started has to import its code first."""
LOOKER_SECONDS = 6.0
"""Seconds that a command that acts waits for one that only looks to end."""
GLANCE_SECONDS = 3.5
"""Seconds that a command that only looks waits for agents: one redial and its handshake."""


@dataclass(frozen=True)
class Session:
    """A network with its hub open."""

    network: Network
    state: State
    hub: Hub
    desk: NetworkDesk
    parties: Desk

    def blueprint(self, sealed: Sealed, network: Network | None = None) -> Blueprint:
        """The sealed network with the nodes that evidence may ask: those of the inventory, or of `network`."""
        nodes = tuple(NodeRef(node.name, node.account) for node in (network or self.network).nodes)
        return Blueprint(sealed, self.state.artifacts.get, nodes)

    async def connected(self, hosts: Iterable[str], seconds: float) -> dict[str, str]:
        """Waits until these hosts' agents are connected and have reported their nodes. Returns those that are not, and
        why."""

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


@asynccontextmanager
async def open_session(network: Network, root: Path, *, acting: bool) -> AsyncIterator[Session]:
    """Opens state and hub. Raises OperationFailed, UsageProblem (a name), HubError (another coordinator is running, or
    the port is taken).

    acting: waits for another command that only looks to end.
    """
    state = State(root, network.name)
    rules = RulesOf(network, lambda: state.sealed, state.artifacts.get)
    desks: list[Desk] = []

    def parties(hub: Hub) -> Desk:
        desks.append(Desk(hub.journal, hub.book, rules))
        return desks[-1]

    async def opened() -> Hub:
        hub = Hub(state.folder, network.name, network.listen, acting, addresses=(advertised(network),), parties=parties)
        return await hub.__aenter__()

    try:
        hub = await retrying(opened, on=BusyError, deadline=LOOKER_SECONDS if acting else 0.0, most=0.2)
        try:
            check_names(network, hub.register)
            yield Session(network, state, hub, NetworkDesk(network, hub), desks[-1])
        finally:
            await hub.__aexit__(None, None, None)
    finally:
        state.close()


def check_names(network: Network, register: Register) -> None:
    """Raises UsageProblem when a host or node has a party's name: the party's agent would be taken for the host's."""
    parties = {entry.name for entry in register.entries() if entry.kind is Kind.PARTY}
    for name in (*(host.name for host in network.hosts), *(node.name for node in network.nodes)):
        if name in parties:
            raise UsageProblem(f"{network.source}: {name} is the name of a party: rename the host or node")


def require_sealed(session: Session) -> Sealed:
    """The sealed network. Raises OperationFailed when there is none yet."""
    sealed = session.state.sealed
    if sealed is None:
        raise OperationFailed(f"{session.network.name} was never booted; run: coord boot {session.network.source}")
    return sealed


def advertised(network: Network) -> str:
    """The address that hosts dial: the inventory's, or that of this machine's interface towards the first remote host
    that it has a route to. Raises OperationFailed.
    """
    if network.advertise:
        return network.advertise
    troubles = []
    for host in network.hosts:
        if host.ssh is None or host.tunnel:
            continue
        try:
            address, port = first_hop(host.ssh)
        except (OperationFailed, OSError) as error:
            troubles.append(f"{host.name}: {error}")
            continue
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((address, port))  # sends nothing: the kernel only chooses the route
                return str(probe.getsockname()[0])
        except OSError as error:
            troubles.append(f"{host.name}: no route to {address} ({error}); is its address right?")
    if troubles:
        raise OperationFailed(troubles[0])
    return "127.0.0.1"
