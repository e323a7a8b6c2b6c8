"""`coord report`: writes the report of a launch, and `coord audit`: runs its audit again, on any node."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antelope.errors import AntelopeError
from antelope.http import NodeClient
from coordinator.advising import typed
from coordinator.agents.records import BusyError
from coordinator.errors import OperationFailed
from coordinator.given_files import read_given
from coordinator.hosts.fleet import tunnelled
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.shown import ShownAudit
from coordinator.state.control import ask_running
from coordinator.state.folder import StateFolder
from coordinator.workflows.opening.session import DIAL_SECONDS, open_network
from coordinator.workflows.opening.unchanged import check_unchanged
from inventory.network import Network
from support.files import write_atomic

if TYPE_CHECKING:
    from coordinator.report.launch.document import LaunchReport

ASK = "report"
SECONDS = 900.0
"""Seconds for a running coordinator to audit and to write."""
FILE = "report.json"
"""In the state folder: where a running coordinator leaves a report for another terminal; it may be too long for the
socket between them."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
NODE_SECONDS = 20.0
"""Seconds for a node to answer a question of the audit."""


async def report(network: Network, root: Path) -> LaunchReport:
    """Makes the report, or has a running coordinator make it. Raises OperationFailed, AuditError."""
    from coordinator.report.launch.document import LaunchReport

    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    with closing(StateFolder(root, network.name)) as state:
        check_unchanged(network, state)
    try:
        async with open_network(network, root, acting=False) as opened:
            _ = opened.sealed  # raises before it waits for anything
            hosts = dict.fromkeys(node.host for node in network.nodes)
            with tunnelled(opened.network, opened.hub):
                if len(await opened.connected(hosts, DIAL_SECONDS)) == len(hosts):
                    raise OperationFailed(f"no agent answers; run: {typed('boot')}")
                return await made(opened)
    except BusyError:
        path = Path((await ask_running(root.absolute() / network.name, ASK, SECONDS))["path"])
        return LaunchReport.read(await asyncio.to_thread(path.read_bytes), str(path))


async def made(opened: OpenNetwork) -> LaunchReport:
    """A report of an open network."""
    from coordinator.report.launch.gathering import launch_report  # slow to import, and rarely needed

    return await launch_report(opened)


async def leave(opened: OpenNetwork) -> dict[str, Any]:
    """Makes a report for another terminal. A large network's document takes seconds to write."""
    path, found = opened.state.folder / FILE, await made(opened)
    await asyncio.to_thread(lambda: write_atomic(path, found.to_json().encode()))
    return {"path": str(path)}


def write(found: LaunchReport, html: Path, document: Path) -> None:
    """Writes both files. Raises OSError."""
    from coordinator.report.launch.page import page

    write_atomic(html, page(found).encode())
    write_atomic(document, found.to_json().encode() + b"\n")


def read_report(path: Path) -> LaunchReport:
    """A report's file, HTML or JSON. Raises UsageProblem."""
    from coordinator.report.launch.document import LARGEST, LaunchReport

    return LaunchReport.read(read_given(path, LARGEST), str(path))


async def audit_again(found: LaunchReport, name: str, artifacts: Path | None, url: str) -> ShownAudit:
    """The audit of a report's network, on the node with this API.

    name: of the report's file. artifacts: a folder with what the report does not carry. Raises UsageProblem,
    OperationFailed, AuditError.
    """
    from boot.audit import Observed, audit

    def outside(sha256: str) -> bytes:
        try:
            if artifacts and _SHA256.fullmatch(sha256):
                return (artifacts / sha256).read_bytes()
        except OSError:
            pass
        raise KeyError(sha256)

    blueprint = found.blueprint(outside, name)
    observed = Observed(frozenset(found.late_accounts), frozenset(found.upgrades))

    async with NodeClient(url, NODE_SECONDS) as node:
        try:
            return ShownAudit.of(await audit(node, blueprint, observed=observed))
        except AntelopeError as error:
            raise OperationFailed(f"{url} could not be asked: {error}") from error
