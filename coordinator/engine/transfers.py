"""Has the agent that holds the users' keys make random transfers, each once, however often it is asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from antelope.errors import NodeError
from boot.steps.accounts import STEP as ACCOUNTS
from boot.transfers import key
from coordinator.advising import typed
from coordinator.agents.link import AgentLink, LinkError
from coordinator.engine.access import NodeAccess
from coordinator.errors import OperationFailed
from coordinator.state.folder import StateFolder
from inventory.network import Role
from protos import coordination_pb2 as pb
from protos.states import NodeState
from support.retry import DeadlineError, poll

PART_SECONDS = 10.0
"""Seconds of transfers that an agent is given at a time, so that it stops soon after Ctrl-C."""
TASK_SECONDS = 180.0
"""A transaction expires after 60 s. Then it is in an irreversible block, or will never be in one."""
NODE_SECONDS = 30.0
"""Seconds for the host's node to answer: it may be restarted just now."""


@dataclass(frozen=True)
class Part:
    """Transfers that an agent is asked for at once: consecutive ones of a seed."""

    seed: int
    first: int
    count: int
    rate: float
    """Transfers per second."""

    @property
    def numbers(self) -> range:
        """The transfers' numbers."""
        return range(self.first, self.first + self.count)


@dataclass(frozen=True)
class Confirmed:
    """A transfer that is in a block."""

    number: int
    block: int
    seconds: float
    """When this was reported, since the part was asked for."""


@dataclass
class Made:
    """The outcome of a part."""

    head: int
    """The chain's head before it. What is in a block up to there had been made before."""
    confirmed: list[Confirmed] = field(default_factory=list)
    failure: str = ""
    """Why the others are in no block; empty if all are."""

    def to_json(self) -> dict[str, Any]:
        """The document for another terminal."""
        return asdict(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Made:
        """Reads what `to_json` wrote."""
        confirmed = [Confirmed(**one) for one in document["confirmed"]]
        return Made(int(document["head"]), confirmed, str(document["failure"]))


async def make(
    state: StateFolder, access: NodeAccess, part: Part, confirmed: Callable[[Made], None] = lambda made: None
) -> Made:
    """Has them made. confirmed: is called with the outcome so far whenever some more are in a block.

    Raises OperationFailed where none can be made.
    """
    record = state.steps().get(ACCOUNTS.name)
    if record is None or not record.done:
        raise OperationFailed(f"{access.network.name} has no accounts yet; run: {typed('boot', '--until', 'accounts')}")
    host = access.network.genesis_node.host
    made, began = Made(await _head(access, host)), time.monotonic()
    due = {key(part.seed, number): number for number in part.numbers}

    def progressed(progress: pb.Progress) -> None:
        seconds = time.monotonic() - began
        for one in progress.pushed:
            if (number := due.pop(one.key, None)) is not None:
                made.confirmed.append(Confirmed(number, one.block, seconds))
        confirmed(made)

    body = pb.Transfer(seed=part.seed, first=part.first, count=part.count, per_second=part.rate)
    try:
        result = await access.link(host).task(body, progressed, PART_SECONDS + TASK_SECONDS, tuple(due))
        made.failure = "" if result.ok or not due else result.error or "its agent gave no reason"
    except (LinkError, DeadlineError) as error:
        made.failure = str(error) if due else ""
    return made


async def _head(access: NodeAccess, host: str) -> int:
    """The head of a node of that host that takes transactions. Raises OperationFailed."""
    link = access.link(host)
    why = ""

    async def answers() -> int:
        nonlocal why
        name = _taking(link)
        try:
            return int((await link.query(name, "/v1/chain/get_info"))["head_block_num"]) if name else 0
        except NodeError as error:
            why = str(error)
            return 0

    try:
        await link.wait_connected(NODE_SECONDS)
        return await poll(answers, what="a node that takes transactions", deadline=NODE_SECONDS)
    except DeadlineError as error:
        if link.connected and not _taking(link):
            raise OperationFailed(
                f"host {host}, which has the users' keys, runs no node that takes transactions"
            ) from error
        raise OperationFailed(f"{host}, which has the users' keys: {why or error}; run: {typed('boot')}") from error


def _taking(link: AgentLink) -> str:
    for node in link.status.nodes if link.status else ():
        if node.state == NodeState.RUNNING and node.mode != pb.MODE_AUDIT and node.spec.role != Role.SEED:
            return str(node.name)
    return ""
