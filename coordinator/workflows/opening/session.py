"""Opens a network for a command: its state, its hub, and the handler that answers parties."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from coordinator.agents.hub import Hub
from coordinator.agents.records import BusyError, Records
from coordinator.agents.register import Register
from coordinator.engine.access import NodeAccess
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.address import advertised
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.reception import Reception
from coordinator.parties.rules import RulesOf
from coordinator.state.folder import StateFolder
from coordinator.state.losses import check_whole, former_port
from inventory.network import Network
from support.endpoint import Endpoint
from support.identity import Kind
from support.retry import retrying

from .aside import step_aside, taken

log = logging.getLogger(__name__)

DIAL_SECONDS = 30.0
"""Seconds for an agent to connect: it redials within 2 s, and one just started has to import its code first."""
LOOKER_SECONDS = 6.0
"""Seconds that an acting command waits for an observing one to end."""
GLANCE_SECONDS = 3.5
"""Seconds that an observing command waits for agents: one redial and its handshake."""
TUNNEL_SECONDS = 3.0
"""Extra seconds for an SSH login, where agents connect through a tunnel."""


@asynccontextmanager
async def open_network(
    network: Network, root: Path, *, acting: bool, adopting: bool = False, aside: str = ""
) -> AsyncIterator[OpenNetwork]:
    """Opens state and hub. Raises OperationFailed, UsageProblem (a name), BusyError (another coordinator is running),
    HubError (the port is taken).

    acting: waits for an observing command to end. adopting: lost state is about to be rebuilt; otherwise lost state is
    an error. aside: a name of this command, for which `coord serve` steps aside.
    """
    state = StateFolder(root, network.name, adopting=adopting)

    async def opened() -> Records:
        return Records(state.folder, network.name, adopting=adopting)

    try:
        if not adopting:
            check_whole(state)
        if aside and taken(state.folder):
            await _step_aside(network, state, aside)
        with await retrying(opened, on=BusyError, deadline=LOOKER_SECONDS if acting else 0.0, most=0.2) as records:
            check_names(network, records.register)
            if adopting and not (records.numbers["epoch"] and records.leads):
                records.lead()
            elif acting:
                records.check_leading()
            if adopting and not records.numbers["port"]:
                records.numbers["port"] = former_port(state)
            reception = Reception(records, RulesOf(network, lambda: state.sealed, state.artifacts.get))
            hub = Hub(records, acting=acting, parties=reception)
            async with hub.listening(Endpoint.parse(network.listen), [advertised(network)]):
                yield OpenNetwork(network, state, hub, NodeAccess(network, hub, reception.store.reached), reception)
    finally:
        state.close()


async def _step_aside(network: Network, state: StateFolder, who: str) -> None:
    """Asks a coordinator that serves to step aside. One that does something else is waited for, as by any command."""
    try:
        await step_aside(network, state, who)
    except OperationFailed as refused:
        log.info("coord %s goes on waiting: %s", who, refused)


def check_names(network: Network, register: Register) -> None:
    """Raises UsageProblem if a host or node has a party's name: the party's agent would be mistaken for the host's."""
    parties = {entry.name for entry in register.entries() if entry.kind is Kind.PARTY}
    for name in (*(host.name for host in network.hosts), *(node.name for node in network.nodes)):
        if name in parties:
            raise UsageProblem(f"{network.source}: {name} is the name of a party: rename the host or node")
