"""`coord transfers`: makes random transfers between users, and measures how soon they are in a block.

Another command may work on the network meanwhile. One that changes it, such as `coord boot`, has this one step aside;
from then on that command's process passes the transfers to the agent, and this one does so again when that has ended.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boot.transfers import slices
from coordinator.advising import typed
from coordinator.agents.records import BusyError
from coordinator.engine.transfers import PART_SECONDS, TASK_SECONDS, Confirmed, Made, Part, make
from coordinator.errors import OperationFailed
from coordinator.hosts.fleet import Hosts
from coordinator.reporter import Reporter, StepResult
from coordinator.state.control import NoAnswer, ask_running
from coordinator.state.folder import StateFolder
from inventory.network import Network
from support.retry import retrying
from support.tasks import end

from .changing.answering import TRANSFERS
from .opening.aside import Aside, until_taken
from .opening.session import open_network
from .serving.serve import serving

STEP = "transfers"
AGAIN_SECONDS = 2.0
"""Seconds for the command that took over to answer; then this one opens the network itself, unless it is taken."""

Maker = Callable[[Part, Callable[[Made], None]], Awaitable[Made | None]]
"""Has a part made; calls back with the outcome so far. None: nobody can make it, for the moment."""


@dataclass(frozen=True)
class Load:
    """What a user asked for."""

    count: int
    rate: float
    """Transfers per second."""
    seed: int
    """The same seed draws the same transfers; those that were made already are not made again."""


@dataclass
class Fate:
    """The outcome of the transfers."""

    wanted: Load
    latencies: list[float] = field(default_factory=list)
    """Seconds from the moment when a transfer was due to be sent until it was reported to be in a block."""
    blocks: set[int] = field(default_factory=set)
    already: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    """How many transfers failed for which reason."""
    seconds: float = 0.0
    """Seconds until the last one was in a block."""
    began: float = field(default_factory=time.monotonic)
    due: dict[int, float] = field(default_factory=dict)
    """When each transfer was first to be sent. Only of those whose outcome is not known."""
    left: set[int] = field(default_factory=set)
    """Transfers whose outcome is not known."""

    def __post_init__(self) -> None:
        self.left = set(range(self.wanted.count))

    def parts(self) -> Iterator[tuple[float, Part]]:
        """Those that are left: seconds from now on, and the transfers that an agent is told of then."""
        size, sent = max(1, round(PART_SECONDS * self.wanted.rate)), 0
        for run in _runs(sorted(self.left)):
            for first in range(run.start, run.stop, size):
                count = min(size, run.stop - first)
                yield sent / self.wanted.rate, Part(self.wanted.seed, first, count, self.wanted.rate)
                sent += count

    def begins(self, part: Part) -> set[int]:
        """A part is sent now. Returns those of its transfers that were never sent before."""
        now, fresh = time.monotonic(), set[int]()
        for after, numbers in slices(part.numbers, part.rate):
            for number in numbers:
                if number not in self.due:
                    fresh.add(number)
                    self.due[number] = now + after
        return fresh

    def confirms(self, one: Confirmed, sent: float, *, before: bool) -> None:
        """One is in a block. sent: when its part was. before: since before this command."""
        if one.number not in self.left:
            return
        self.left.discard(one.number)
        due, reported = self.due.pop(one.number), sent + one.seconds
        if before:
            self.already += 1
            return
        self.latencies.append(max(reported - due, 0.0))
        self.blocks.add(one.block)
        self.seconds = max(self.seconds, reported - self.began)

    def fails(self, part: Part, reason: str) -> None:
        """Those of the part that are in no block will not be sent again."""
        lost = self.left & set(part.numbers)
        self.left -= lost
        if lost:
            self.failures[reason] = self.failures.get(reason, 0) + len(lost)

    def to_json(self) -> dict[str, Any]:
        """The document that `coord transfers --json` prints; seconds are rounded to milliseconds."""
        confirmed = len(self.latencies)
        return {
            **asdict(self.wanted),
            "confirmed": confirmed,
            "confirmed_before": self.already,
            "failed": sum(self.failures.values()),
            "reasons": self.failures,
            "seconds": round(self.seconds, 3),
            "per_second": round(confirmed / self.seconds, 2) if self.seconds else 0.0,
            "latency": {name: round(value, 3) for name, value in quantiles(self.latencies).items()},
            "blocks": [min(self.blocks), max(self.blocks)] if self.blocks else [],
        }


def _runs(numbers: list[int]) -> Iterator[range]:
    """Consecutive numbers of a sorted list, as ranges."""
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            yield range(numbers[start], numbers[at - 1] + 1)
            start = at


def quantiles(values: list[float]) -> dict[str, float]:
    """Least, median, 95th percentile (nearest rank) and most; empty without values."""
    if not values:
        return {}
    ordered = sorted(values)

    def rank(part: float) -> float:
        return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]

    return {"min": ordered[0], "median": rank(0.5), "p95": rank(0.95), "max": ordered[-1]}


async def transfers(network: Network, root: Path, wanted: Load, reporter: Reporter) -> dict[str, Any]:
    """Makes the transfers, whichever command works on the network meanwhile. Raises OperationFailed."""
    if not StateFolder.exists(root, network.name):
        raise OperationFailed(f"{network.name} was never booted; run: {typed('boot')}")
    made = Fate(wanted)
    title = f"{wanted.count} transfers, {wanted.rate:g} a second, seed {wanted.seed}"
    reporter.began(STEP, title)
    try:
        while made.left:
            try:
                await _here(network, root, made, reporter)
            except BusyError:
                await _there(root.absolute() / network.name, made, reporter)
    finally:
        result = StepResult.FAILED if made.failures or made.left else StepResult.DONE
        reporter.ended(STEP, title, result, f"{len(made.latencies)} in a block")
    return made.to_json()


async def _here(network: Network, root: Path, made: Fate, reporter: Reporter) -> None:
    """Makes what is left, as long as no other command has this one step aside. Raises BusyError."""
    aside = Aside()
    async with open_network(network, root, acting=True) as opened:
        with Hosts(opened.network, opened.state, opened.hub, reporter).reached():

            async def maker(part: Part, confirmed: Callable[[Made], None]) -> Made:
                return await make(opened.state, opened.access, part, confirmed)

            async with serving(opened, reporter.note, aside=aside):
                with aside.serving() as cut:
                    await send(made, maker, cut, reporter)
        folder = opened.state.folder
    if aside.asked and made.left:
        reporter.note(f"coord {aside.asked} works on the network now, and has the transfers made meanwhile")
        await until_taken(folder)


async def _there(folder: Path, made: Fate, reporter: Reporter) -> None:
    """Has the command that works on the network make what is left, as long as it does."""
    cut = asyncio.Event()

    async def maker(part: Part, confirmed: Callable[[Made], None]) -> Made | None:
        async def ask() -> dict[str, Any]:
            return await ask_running(folder, TRANSFERS, PART_SECONDS + 2 * TASK_SECONDS, **asdict(part))

        try:
            document = await retrying(ask, on=NoAnswer, deadline=AGAIN_SECONDS, most=0.2)
        except NoAnswer:
            return None
        return None if document.get("observes") else Made.from_json(document)

    await send(made, maker, cut, reporter)


async def send(made: Fate, maker: Maker, cut: asyncio.Event, reporter: Reporter) -> None:
    """Has everything that is left made in time, until `cut` is set, which it is when nobody can make it any more.

    Raises OperationFailed, with the parts under way cancelled.
    """

    async def one(part: Part) -> None:
        if not await _sent(made, part, maker, reporter):
            cut.set()

    async def all_parts() -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for after, part in made.parts():
                await asyncio.sleep(max(began + after - time.monotonic(), 0.0))
                group.create_task(one(part))

    work, stopped = asyncio.create_task(all_parts()), asyncio.create_task(cut.wait())
    try:
        await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        await end(work, stopped)


async def _sent(made: Fate, part: Part, maker: Maker, reporter: Reporter) -> bool:
    """Has one part made, and notes what becomes of its transfers. Returns whether anybody could make it."""
    fresh, sent, counted = made.begins(part), time.monotonic(), 0

    def confirmed(outcome: Made) -> None:
        nonlocal counted
        for one in outcome.confirmed[counted:]:
            made.confirms(one, sent, before=one.number in fresh and one.block <= outcome.head)
        counted = len(outcome.confirmed)
        reporter.moved(STEP, len(made.latencies) + made.already, made.wanted.count, _state(made))

    outcome = await maker(part, confirmed)
    if outcome is None:
        return False
    confirmed(outcome)
    if outcome.failure:
        made.fails(part, outcome.failure)
    return True


def _state(made: Fate) -> str:
    median = quantiles(made.latencies).get("median", 0.0)
    return f"{len(made.latencies)} in a block, median {median:.2f} s" if made.latencies else "sending"


def lines(document: dict[str, Any]) -> list[str]:
    """The document in words."""
    found = []
    if document["confirmed"]:
        times = ", ".join(f"{name} {value:.2f} s" for name, value in document["latency"].items())
        first, last = document["blocks"]
        found.append(
            f"{document['confirmed']} transfers confirmed in blocks {first} to {last}: "
            f"{document['per_second']:g} a second; from sending to a block: {times}"
        )
    if document["confirmed_before"]:
        found.append(f"{document['confirmed_before']} of seed {document['seed']} had been made before")
    for reason, count in document["reasons"].items():
        found.append(f"{count} failed: {reason}")
    return found
