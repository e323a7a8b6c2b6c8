"""What a command answers to other terminals while it works on the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from coordinator.engine.transfers import Part, make
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.gathering import gather
from coordinator.report.pulse import Pulse
from coordinator.report.shown import ShownAudit, ShownStatus
from coordinator.report.watch_screen import screen_lines
from coordinator.state.control import Answerer, control_socket

from .facts import seen_by

TRANSFERS = "transfers"
TakePulse = Callable[[], Awaitable[Pulse | None]]


@asynccontextmanager
async def answering(
    opened: OpenNetwork, more: Mapping[str, Answerer] | None = None, pulse: TakePulse | None = None
) -> AsyncIterator[None]:
    """While the block runs, answers `status`, `screen`, `verify`, `facts` and `transfers`, and the requests in `more`.

    pulse: how a boot goes now.
    """

    async def status(request: dict[str, Any]) -> dict[str, Any]:
        return ShownStatus.of(await gather(opened), width=request.get("width")).to_json()

    async def screen(request: dict[str, Any]) -> dict[str, Any]:
        width, height = int(request["width"]), int(request["height"])
        return {"lines": screen_lines(await gather(opened), await pulse() if pulse else None, width, height)}

    async def verify(request: dict[str, Any]) -> dict[str, Any]:
        from coordinator.report.audit import audit_chain  # slow to import (0.1 s), and rarely needed

        return ShownAudit.of(await audit_chain(opened)).to_json()

    async def facts(request: dict[str, Any]) -> dict[str, Any]:
        return (await seen_by(opened)).to_json()

    async def transfers(request: dict[str, Any]) -> dict[str, Any]:
        if not opened.hub.acting:
            return {"observes": True}
        part = Part(int(request["seed"]), int(request["first"]), int(request["count"]), float(request["rate"]))
        return (await make(opened.state, opened.access, part)).to_json()

    answerers: dict[str, Answerer] = {
        "status": status,
        "screen": screen,
        "verify": verify,
        "facts": facts,
        TRANSFERS: transfers,
        **(more or {}),
    }
    async with control_socket(opened.state.folder, answerers):
        yield
