"""`coord transfers`: makes random transfers between users, and measures how soon they are in a block."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boot.steps.accounts import STEP as ACCOUNTS
from boot.transfers import key, slices
from coordinator.advising import typed
from coordinator.agents.link import AgentLink, LinkError
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter, StepResult
from coordinator.workflows.changing.acting import SECONDS, here_or_there
from inventory.network import Network, Role
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import DeadlineError

ASK = "transfers"
PART_SECONDS = 10.0
"""Seconds of transfers that an agent is given at a time, so that it stops soon after Ctrl-C."""
TASK_SECONDS = 180.0
"""A transaction expires after 60 s. Then it is in an irreversible block, or will never be in one."""


@dataclass(frozen=True)
class Load:
    """What a user asked for."""

    count: int
    rate: float
    """Transfers per second."""
    seed: int
    """The same seed draws the same transfers; those that were made already are not made again."""

    @property
    def seconds(self) -> float:
        """How long it takes to send them."""
        return self.count / self.rate

    def parts(self) -> Iterator[tuple[float, range]]:
        """Seconds after the start, and the numbers of the transfers that an agent is told of then."""
        size = max(1, round(PART_SECONDS * self.rate))
        for first in range(0, self.count, size):
            yield first / self.rate, range(first, min(first + size, self.count))


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


def quantiles(values: list[float]) -> dict[str, float]:
    """Least, median, 95th percentile (nearest rank) and most; empty without values."""
    if not values:
        return {}
    ordered = sorted(values)

    def rank(part: float) -> float:
        return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]

    return {"min": ordered[0], "median": rank(0.5), "p95": rank(0.95), "max": ordered[-1]}


async def transfers(network: Network, root: Path, wanted: Load, reporter: Reporter) -> dict[str, Any]:
    """Makes the transfers, or has a running coordinator make them."""

    async def here(opened: OpenNetwork) -> dict[str, Any]:
        return (await transfer(opened, wanted, reporter)).to_json()

    seconds = SECONDS + wanted.seconds
    return await here_or_there(network, root, reporter, here, ASK, asdict(wanted), seconds, needs_agent=True)


async def transfer(opened: OpenNetwork, wanted: Load, reporter: Reporter) -> Fate:
    """Has the agent that holds the users' keys make them. Raises OperationFailed, NodeError."""
    record = opened.state.steps().get(ACCOUNTS.name)
    if record is None or not record.done:
        raise OperationFailed(f"{opened.network.name} has no accounts yet; run: {typed('boot', '--until', 'accounts')}")
    link = opened.access.link(opened.network.genesis_node.host)
    made = Fate(wanted)
    title = f"{wanted.count} transfers, {wanted.rate:g} a second, seed {wanted.seed}"
    reporter.began(ASK, title)
    try:
        await _send(link, wanted, made, reporter, await _head(link))
    finally:
        result = StepResult.FAILED if made.failures else StepResult.DONE
        reporter.ended(ASK, title, result, f"{len(made.latencies)} in a block")
    return made


async def _head(link: AgentLink) -> int:
    """Of a node of that host that takes transactions."""
    for node in link.status.nodes if link.status else ():
        if node.state == NodeState.RUNNING and node.mode != pb.MODE_AUDIT and node.spec.role != Role.SEED:
            return int((await link.query(node.name, "/v1/chain/get_info"))["head_block_num"])
    raise OperationFailed(f"host {link.name}, which has the users' keys, runs no node that takes transactions")


async def _send(link: AgentLink, wanted: Load, made: Fate, reporter: Reporter, head: int) -> None:
    began = time.monotonic()

    async def send(numbers: range) -> None:
        sent = time.monotonic()
        due = {key(wanted.seed, one): sent + after for after, some in slices(numbers, wanted.rate) for one in some}

        def progressed(progress: pb.Progress) -> None:
            for one in progress.pushed:
                if (moment := due.pop(one.key, None)) is None:
                    continue
                if one.block <= head:
                    made.already += 1
                    continue
                made.latencies.append(max(time.monotonic() - moment, 0.0))
                made.blocks.add(one.block)
                made.seconds = time.monotonic() - began
            reporter.moved(ASK, len(made.latencies) + made.already, wanted.count, _state(made))

        body = pb.Transfer(seed=wanted.seed, first=numbers.start, count=len(numbers), per_second=wanted.rate)
        try:
            result = await link.task(body, progressed, PART_SECONDS + TASK_SECONDS, tuple(due))
            reason = "" if result.ok else result.error
        except (LinkError, DeadlineError) as error:
            reason = str(error)
        if reason and due:
            made.failures[reason] = made.failures.get(reason, 0) + len(due)

    async with asyncio.TaskGroup() as group:
        for after, numbers in wanted.parts():
            await asyncio.sleep(max(began + after - time.monotonic(), 0.0))
            group.create_task(send(numbers))


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
