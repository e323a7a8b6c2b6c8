"""The audit of a network, whether or not another command works on it. Changes nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.advising import typed
from coordinator.agents.records import BusyError
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.fleet import tunnelled
from coordinator.report.shown import ShownAudit
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.changing.answering import answering
from coordinator.workflows.opening.session import DIAL_SECONDS, open_network
from coordinator.workflows.opening.unchanged import check_unchanged
from inventory.network import Network
from support.retry import retrying

if TYPE_CHECKING:
    from boot.audit import AuditReport

AUDIT_SECONDS = 900.0
"""Seconds that a running coordinator has for the audit."""
ASK_SECONDS = 10.0
"""Seconds to wait for the answer of a running command."""


async def verify(network: Network, root: Path) -> ShownAudit:
    """The audit, even while other commands start and end."""
    return await retrying(lambda: _judge(network, root), on=NoAnswer, deadline=ASK_SECONDS, most=0.5)


async def _judge(network: Network, root: Path) -> ShownAudit:
    """The audit, by the running coordinator if there is one.

    Raises UsageProblem if the inventory was edited after the seal, as the chain is compared with what was sealed, and
    where eosio keeps its key.
    """
    if network.solo:
        raise UsageProblem(
            f"{network.name}: eosio keeps its key, and may do what it likes: an audit proves nothing here; "
            f"{typed('boot')} reads the evidence of every step"
        )
    if StateFolder.exists(root, network.name):
        with closing(StateFolder(root, network.name)) as state:
            check_unchanged(network, state)
    try:
        return ShownAudit.of(await _audit(network, root))
    except BusyError:
        return ShownAudit.from_json(await ask_running(root.absolute() / network.name, "verify", AUDIT_SECONDS))


async def _audit(network: Network, root: Path) -> AuditReport:
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    async with open_network(network, root, acting=False) as opened, answering(opened):
        _ = opened.sealed  # raises before it waits for anything
        hosts = dict.fromkeys(node.host for node in network.nodes)
        with tunnelled(opened.network, opened.hub) as troubles:
            missing = await opened.connected(hosts, DIAL_SECONDS)
            if network.genesis_node.host in missing and len(missing) == len(hosts):
                why = "".join(f"{host}: {trouble}; " for host, trouble in troubles.items())
                raise OperationFailed(f"{why}no agent answers; run: {typed('boot')}")
            from coordinator.report.audit import audit_chain

            return await audit_chain(opened)
