"""Runs a command on a live network: here, or in the coordinator that already works on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from coordinator.advising import typed
from coordinator.agents.records import BusyError
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.state.control import ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.session import DIAL_SECONDS, open_network
from inventory.network import Network

from .answering import answering
from .operating import Action, HostAction, NodeAction, Operation, ProducerAction, operate

SECONDS = 3600.0
"""Seconds for a running coordinator to do it: a producer's turn and a new key's schedule of 21 take long."""


MOVING: dict[Action, str] = {
    **dict.fromkeys(ProducerAction, "producer"), NodeAction.MOVE: "node", HostAction.REMOVE: "host",
}  # fmt: skip
"""What changes the inventory or the placement of nodes, both of which a serving coordinator reads when it begins. Each
with its command."""


async def act(
    network: Network,
    root: Path,
    operation: Operation,
    reporter: Reporter,
    begin: Callable[[OpenNetwork], None] | None = None,
) -> str:
    """Carries out one operation on a node or host. Returns the outcome as a line. Raises as `operate`.

    begin: is called once the operation can begin, before anything is changed.
    """
    operation.check(network)

    async def here(opened: OpenNetwork) -> dict[str, Any]:
        if begin:
            begin(opened)
        return {"said": await operate(opened, operation, reporter)}

    request = {"action": str(operation.action), "name": operation.name, "force": operation.force,
               "to": operation.to}  # fmt: skip
    needs = operation.action is not HostAction.REMOVE  # what it removes may be gone
    command = MOVING.get(operation.action, "")
    aside = f"{command} {operation.action} {operation.name}" if command else ""
    try:
        done = await here_or_there(network, root, reporter, here, "operate", request, needs_agent=needs, aside=aside)
    except asyncio.CancelledError:
        if left := operation.half_done():
            reporter.note(left)
        raise
    return str(done["said"])


async def here_or_there(
    network: Network,
    root: Path,
    reporter: Reporter,
    here: Callable[[OpenNetwork], Awaitable[dict[str, Any]]],
    ask: str,
    request: dict[str, Any],
    seconds: float = SECONDS,
    *,
    needs_agent: bool = False,
    aside: str = "",
) -> dict[str, Any]:
    """Runs `here` with the operator's agents connected, or has a running coordinator do the work.

    ask, request: the question to a running coordinator. seconds: how long it may take. needs_agent: refuse if none of
    the operator's agents connects. aside: a name of this command, for which `coord serve` steps aside instead of doing
    the work; empty: it does it.

    Raises OperationFailed before the first boot, and what `here` raises.
    """
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    try:
        async with open_network(network, root, acting=True, aside=aside) as opened, answering(opened):
            with Hosts(opened.network, opened.state, opened.hub, reporter).reached():
                enrolled = [entry.name for entry in opened.hub.register.entries() if not entry.revoked]
                parties = {party.name for party in opened.parties.parties()}
                own = [name for name in enrolled if name not in parties]
                away = await opened.connected(own, DIAL_SECONDS)
                if needs_agent and len(away) == len(own):  # after `coord down`, say: no agent will connect
                    raise OperationFailed(f"no agent answers; run: {typed('boot')}")
                return await here(opened)
    except BusyError:
        if aside:
            raise
        return await ask_running(root.absolute() / network.name, ask, seconds, **request)
