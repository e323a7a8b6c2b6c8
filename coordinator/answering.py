"""What a command that is under way answers to other terminals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from boot.audit import audit, render
from coordinator.control import Answerer, control_socket
from coordinator.link import RemoteNode
from coordinator.parties.observing import observed
from coordinator.reporting import gather
from coordinator.session import Session, require_sealed
from coordinator.tables import report_lines


@asynccontextmanager
async def answering(session: Session, more: Mapping[str, Answerer] | None = None) -> AsyncIterator[None]:
    """While the block runs: how the network is, whether its chain is as planned, and whatever more."""

    async def status(request: dict[str, Any]) -> dict[str, Any]:
        report = await gather(session)
        return {"document": report.to_json(), "lines": list(report_lines(report))}

    async def verify(request: dict[str, Any]) -> dict[str, Any]:
        sealed, reader = require_sealed(session), session.desk.reader
        node = RemoteNode(session.desk.link(reader.host), reader.name)
        report = await audit(node, session.blueprint(sealed), observed=observed(session.hub.book))
        return {"document": report.to_json(), "lines": list(render(report)), "ok": report.ok}

    answerers: dict[str, Answerer] = {"status": status, "verify": verify, **(more or {})}
    async with control_socket(session.state.folder, answerers):
        yield
