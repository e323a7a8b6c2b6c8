"""How `coord serve`, and `coord transfers` alone, lets another command work: it steps aside, and goes on afterwards.

A command that changes what a serving coordinator knows, such as a boot with an edited inventory, asks for it over the
control socket. The serving one closes its network, so that the other can open it, and waits. Agents dial the other one
meanwhile, as they would after a restart. Then it reads the inventory again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from coordinator.errors import OperationFailed, UsageProblem
from coordinator.state.control import Answerer, NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from coordinator.state.placements import placements_of
from inventory.errors import InventoryError
from inventory.load import glance
from inventory.network import Network
from support.locks import FileLock, LockedError
from support.retry import DeadlineError, poll

from .unchanged import check_unchanged

ASK = "aside"
TAKE_SECONDS = 20.0
"""Seconds for the other command to open the network, once it may."""
LEAVE_SECONDS = 20.0
"""Seconds for the serving one to close it: agents' streams end, and the page's."""


class Aside:
    """Whether the serving coordinator was asked to step aside."""

    def __init__(self) -> None:
        self.asked = ""
        """The command that asked for it; empty: none."""
        self._serves = False
        self._at_work: list[str] = []
        self._stop = asyncio.Event()

    def while_at_work(self, answerers: Mapping[str, Answerer]) -> dict[str, Answerer]:
        """The answerers, each of which keeps it from stepping aside, and the one that asks it to."""

        def noted(ask: str, answerer: Answerer) -> Answerer:
            async def answers(request: dict[str, Any]) -> dict[str, Any]:
                name = " ".join(("coord", str(request.get("action", ask)), str(request.get("name", "")))).strip()
                self._at_work.append(name)
                try:
                    return await answerer(request)
                finally:
                    self._at_work.remove(name)

            return answers

        return {name: noted(name, answerer) for name, answerer in answerers.items()} | {ASK: self._answer}

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._serves:
            raise OperationFailed("another coord is at work on the network: wait until it ends")
        if self._at_work:
            raise OperationFailed(f"{self._at_work[0]} is at work: wait until it ends")
        self.asked = str(request["who"])
        self._stop.set()
        return {}

    @contextmanager
    def serving(self) -> Iterator[asyncio.Event]:
        """It serves during the block, and may be asked to step aside: then the event is set."""
        self._serves = True
        try:
            yield self._stop
        finally:
            self._serves = False


async def step_aside(network: Network, state: StateFolder, who: str) -> None:
    """Asks the coordinator that works on the network to let this command work. Returns once the network is free.

    who: this command. Raises OperationFailed if it does something else than serving, UsageProblem if the inventory
    cannot be applied.
    """
    check_unchanged(network, state)
    folder = state.folder
    await ask_running(folder, ASK, who=who)

    async def free() -> bool:
        return not taken(folder)

    try:
        await poll(free, what="the serving coord to step aside", deadline=LEAVE_SECONDS, every=0.1)
    except DeadlineError as error:
        raise NoAnswer(f"the coord that serves {folder.name} does not step aside; try again in a moment") from error


def taken(folder: Path) -> bool:
    """Whether a coordinator has this network open now."""
    try:
        with FileLock(folder / "lock"):
            return False
    except LockedError:
        return True


async def until_taken(folder: Path) -> bool:
    """Returns once the command that this one stepped aside for has begun, or whether it never did."""

    async def begun() -> bool:
        return taken(folder)

    try:
        await poll(begun, what="the other command to begin", deadline=TAKE_SECONDS, every=0.1)
    except DeadlineError:
        return False
    return True


async def until_back(folder: Path) -> None:
    """Returns once the command that this one stepped aside for has ended, or never began."""
    if not await until_taken(folder):
        return

    async def free() -> bool:
        return not taken(folder)

    await poll(free, what="the other command to end", deadline=math.inf)


def read_again(network: Network, root: Path, tell: Callable[[str], None]) -> Network:
    """The network as its file now says; as before if that cannot be served."""
    try:
        found = glance(network.source, lambda name: placements_of(root, name))
        with closing(StateFolder(root, network.name)) as state:
            check_unchanged(found, state)
    except InventoryError as error:
        tell(f"{network.source} is not read again: {'; '.join(str(problem) for problem in error.problems)}")
    except UsageProblem as error:
        tell(f"{network.source} is not read again: {error}")
    else:
        return found
    return network
