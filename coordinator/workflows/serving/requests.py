"""The requests that other terminals may send to a running coordinator, by their names on the control socket.

Each imports its work when it comes, which is rare: a boot with nothing to do would spend a fifth of its time on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.report.progress import PlainReporter
from coordinator.state.control import Answerer
from coordinator.workflows.watching.why import RunningBoot, why
from support.errors import explanation

Json = dict[str, Any]


class _Notes(PlainReporter):
    """Tells what belongs to no step, and nothing else."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(None)
        self._tell = tell

    def note(self, text: str) -> None:
        self._tell(text)


@dataclass(frozen=True)
class Requests:
    """The requests that change something, or that need the boot at work."""

    opened: OpenNetwork
    tell: Callable[[str], None]
    """Receives the lines that the coordinator's own user is to read."""
    boot: RunningBoot | None
    """None if no boot runs, as in `coord serve`."""

    @property
    def answerers(self) -> Mapping[str, Answerer]:
        """All of them, by name."""
        return {
            "upgrade": self._upgrade,
            "why": self._why,
            "operate": self._operate,
            "claim": self._claim,
            "snapshot": self._snapshot,
            "report": self._report,
        }

    async def _upgrade(self, request: Json) -> Json:
        from coordinator.parties.upgrades import from_request, upgrade

        contract = from_request(request, self.opened.state.artifacts.get)
        lines: list[str] = []

        def note(text: str) -> None:
            self.tell(text)
            lines.append(text)

        try:
            return {"said": await upgrade(self.opened, contract, float(request["wait"]), note), "lines": lines}
        except OperationFailed as error:
            return {"failed": explanation(error), "lines": lines}

    async def _why(self, request: Json) -> Json:
        return {"said": why(str(request["step"]), self.opened.network, self.opened.state.steps(), self.boot)}

    async def _operate(self, request: Json) -> Json:
        from coordinator.workflows.changing.operating import Operation, action_of, operate

        action = action_of(str(request["action"]))
        operation = Operation(action, str(request["name"]), bool(request.get("force")), str(request.get("to", "")))
        return {"said": await operate(self.opened, operation, _Notes(self.tell))}

    async def _claim(self, request: Json) -> Json:
        from coordinator.workflows.using.claiming import claim

        return await claim(self.opened, _Notes(self.tell))

    async def _snapshot(self, request: Json) -> Json:
        from coordinator.workflows.using.snapshots import SnapshotRequest, do

        return await do(self.opened, SnapshotRequest.from_json(request), _Notes(self.tell))

    async def _report(self, request: Json) -> Json:
        from coordinator.workflows.watching.reporting import leave

        return await leave(self.opened)
