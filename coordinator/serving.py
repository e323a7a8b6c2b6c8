"""While a coordinator acts: parties are brought along, and other terminals are answered."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from boot.audit import audit, render
from coordinator.control import Answerer, control_socket
from coordinator.link import RemoteNode
from coordinator.parties.observing import observed
from coordinator.parties.shell import Shell
from coordinator.parties.upgrading import from_request, upgrade
from coordinator.reporting import gather
from coordinator.session import Session, require_sealed
from coordinator.tables import report_lines


@asynccontextmanager
async def serving(session: Session, tell: Callable[[str], None]) -> AsyncIterator[None]:
    """While the block runs. tell: hears of what parties do, in lines."""

    async def status(request: dict[str, Any]) -> dict[str, Any]:
        report = await gather(session)
        return {"document": report.to_json(), "lines": list(report_lines(report))}

    async def verify(request: dict[str, Any]) -> dict[str, Any]:
        sealed, reader = require_sealed(session), session.desk.reader
        node = RemoteNode(session.desk.link(reader.host), reader.name)
        report = await audit(node, session.blueprint(sealed), observed=observed(session.hub.book))
        return {"document": report.to_json(), "lines": list(render(report)), "ok": report.ok}

    async def replace(request: dict[str, Any]) -> dict[str, Any]:
        contract = from_request(request, session.state.artifacts.get)
        return {"said": await upgrade(session, contract, float(request["wait"]), tell)}

    answerers: dict[str, Answerer] = {"status": status, "verify": verify, "upgrade": replace}
    shell = asyncio.create_task(Shell(session, tell).run())
    try:
        async with control_socket(session.state.folder, answerers):
            yield
    finally:
        shell.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await shell


async def until_stopped() -> None:
    """Returns at SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
