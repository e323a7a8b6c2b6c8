"""What a running command answers to other terminals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from coordinator.parties.open_network import OpenNetwork
from coordinator.report.gathering import gather
from coordinator.report.shown import ShownAudit, ShownStatus
from coordinator.state.control import Answerer, control_socket
from coordinator.workflows.facts import facts_of


@asynccontextmanager
async def answering(opened: OpenNetwork, more: Mapping[str, Answerer] | None = None) -> AsyncIterator[None]:
    """While the block runs, answers `status` and `verify`, and the requests in `more`."""

    async def status(request: dict[str, Any]) -> dict[str, Any]:
        return ShownStatus.of(await gather(opened)).to_json()

    async def verify(request: dict[str, Any]) -> dict[str, Any]:
        from coordinator.report.audit import audit_chain  # slow to import (0.1 s), and rarely needed

        return ShownAudit.of(await audit_chain(opened)).to_json()

    async def facts(request: dict[str, Any]) -> dict[str, Any]:
        names = {party.name for party in opened.parties.parties()}
        return facts_of(opened.hub, names, opened.party_endpoints).to_json()

    answerers: dict[str, Answerer] = {"status": status, "verify": verify, "facts": facts, **(more or {})}
    async with control_socket(opened.state.folder, answerers):
        yield
