"""The background work of a running coordinator: helps parties join, tells agents the producers' endpoints, and answers
other terminals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from coordinator.engine.reasons import Reasons
from coordinator.errors import OperationFailed
from coordinator.parties.onboarding import Onboarding
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.upgrades import from_request, upgrade
from coordinator.report.progress import PlainReporter
from coordinator.state.control import Answerer
from coordinator.workflows.answering import answering
from coordinator.workflows.claiming import claim
from coordinator.workflows.endpoints import tell_producers
from coordinator.workflows.leases import tell_leases
from coordinator.workflows.operating import Operation, action_of, operate
from coordinator.workflows.pulses import Pulses
from coordinator.workflows.reporting import leave
from coordinator.workflows.snapshots import SnapshotRequest, do
from coordinator.workflows.transferring import Load, transfer
from coordinator.workflows.why import why
from support.errors import explanation
from support.tasks import beside


class _Notes(PlainReporter):
    """Tells what belongs to no step, and nothing else."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(None)
        self._tell = tell

    def note(self, text: str) -> None:
        self._tell(text)


@asynccontextmanager
async def serving(
    opened: OpenNetwork,
    tell: Callable[[str], None],
    reasons: Reasons | None = None,
    pulses: Pulses | None = None,
) -> AsyncIterator[None]:
    """Does the background work while the block runs.

    tell: receives lines about parties. reasons: what the steps of a boot wait for. pulses: how the boot goes.
    """

    async def replace(request: dict[str, Any]) -> dict[str, Any]:
        contract = from_request(request, opened.state.artifacts.get)
        lines: list[str] = []

        def note(text: str) -> None:
            tell(text)
            lines.append(text)

        try:
            return {"said": await upgrade(opened, contract, float(request["wait"]), note), "lines": lines}
        except OperationFailed as error:
            return {"failed": explanation(error), "lines": lines}

    async def explain(request: dict[str, Any]) -> dict[str, Any]:
        return {"said": why(str(request["step"]), reasons or Reasons(), opened.state.steps())}

    async def does(request: dict[str, Any]) -> dict[str, Any]:
        action = action_of(str(request["action"]))
        operation = Operation(action, str(request["name"]), bool(request.get("force")), str(request.get("to", "")))
        return {"said": await operate(opened, operation, _Notes(tell))}

    async def claims(request: dict[str, Any]) -> dict[str, Any]:
        return await claim(opened, _Notes(tell))

    async def handles_snapshots(request: dict[str, Any]) -> dict[str, Any]:
        return await do(opened, SnapshotRequest.from_json(request), _Notes(tell))

    async def transfers(request: dict[str, Any]) -> dict[str, Any]:
        wanted = Load(int(request["count"]), float(request["rate"]), int(request["seed"]))
        return (await transfer(opened, wanted, _Notes(tell))).to_json()

    async def reports(request: dict[str, Any]) -> dict[str, Any]:
        return await leave(opened)

    answers: dict[str, Answerer] = {
        "upgrade": replace,
        "why": explain,
        "operate": does,
        "claim": claims,
        "transfers": transfers,
        "snapshot": handles_snapshots,
        "report": reports,
    }
    parties, producers = Onboarding(opened, tell).run(), tell_producers(opened)
    async with (
        beside(parties),
        beside(producers),
        beside(tell_leases(opened)),
        answering(opened, answers, pulses),
    ):
        yield


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
