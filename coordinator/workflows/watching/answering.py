"""What a running command answers to other terminals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from coordinator.parties.open_network import OpenNetwork
from coordinator.report.gathering import gather
from coordinator.report.shown import ShownAudit, ShownStatus
from coordinator.report.watch_screen import screen_lines
from coordinator.state.control import Answerer, control_socket
from coordinator.workflows.changing.facts import facts_of

from .pulses import Pulses


@asynccontextmanager
async def answering(
    opened: OpenNetwork, more: Mapping[str, Answerer] | None = None, pulses: Pulses | None = None
) -> AsyncIterator[None]:
    """While the block runs, answers `status`, `screen` and `verify`, and the requests in `more`. pulses: a boot's."""

    async def status(request: dict[str, Any]) -> dict[str, Any]:
        return ShownStatus.of(await gather(opened), width=request.get("width")).to_json()

    async def screen(request: dict[str, Any]) -> dict[str, Any]:
        latest = pulses.latest if pulses else None
        width, height = int(request["width"]), int(request["height"])
        return {"lines": screen_lines(await gather(opened), latest, width, height)}

    async def verify(request: dict[str, Any]) -> dict[str, Any]:
        from coordinator.report.audit import audit_chain  # slow to import (0.1 s), and rarely needed

        return ShownAudit.of(await audit_chain(opened)).to_json()

    async def facts(request: dict[str, Any]) -> dict[str, Any]:
        names = {party.name for party in opened.parties.parties()}
        return facts_of(opened.hub, names, opened.party_endpoints).to_json()

    answerers: dict[str, Answerer] = {
        "status": status,
        "screen": screen,
        "verify": verify,
        "facts": facts,
        **(more or {}),
    }
    async with control_socket(opened.state.folder, answerers):
        yield
