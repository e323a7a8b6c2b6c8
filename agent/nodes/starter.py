"""When a node may be started with stale production (`-e`) to restart a halted chain.

After a total outage no elected producer makes a block, because each waits for a fresh one; exactly one of them has to
begin, or else the chain forks. The designated starter begins by itself only when the outage is beyond doubt; a
coordinator, which sees every node, may ask for it sooner.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from agent.errors import NotNow
from antelope.elections import TURN_SECONDS
from antelope.errors import NodeError
from antelope.http import NodeClient

PATIENCE_ROUNDS = 3
"""Rounds of the schedule without any block, after which the designated starter begins by itself."""

LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Outage:
    """What a producer's node sees of a chain that may stand still."""

    account: str
    """The producer that the node signs for."""
    schedule: tuple[str, ...]
    """The active schedule, in its order."""
    head: int
    silence: float
    """Seconds since its last block."""
    peers: tuple[int, ...]
    """The heads of all connected peers, as they told them."""
    holders: Mapping[str, int]
    """Heads by scheduled producer, for connected nodes whose producer is known."""


class Reason(Enum):
    """Why a node may not begin."""

    NOT_SCHEDULED = "its producer is not in the active schedule"
    NOT_ITS_TURN = "another producer's node is to begin before it"
    NO_OUTAGE = "a block came not long ago"
    BEHIND = "a peer has later blocks"
    TOO_FEW = "too few producers' nodes are connected at its head"


@dataclass(frozen=True)
class Objection:
    """Why a node may not be started with `-e` now."""

    reason: Reason
    detail: str
    """One line for a person, with the numbers of this moment."""


def objection(outage: Outage, *, asked: bool) -> Objection | None:
    """Why this node may not be started with `-e` now; None if it may.

    asked: a coordinator asks for it and has checked that all nodes run and agree. Otherwise the full rule applies.
    """
    if outage.account not in outage.schedule:
        return Objection(Reason.NOT_SCHEDULED, f"{outage.account} is not in the active schedule")
    # A producer that is absent is silent for its turn: shorter silence is not an outage.
    patience = TURN_SECONDS if asked else PATIENCE_ROUNDS * TURN_SECONDS * len(outage.schedule)
    if outage.silence <= patience:
        return Objection(
            Reason.NO_OUTAGE, f"the last block is {outage.silence:.1f} s old, an outage is more than {patience:g} s"
        )
    ahead = max(outage.peers, default=0)
    if ahead > outage.head:
        return Objection(Reason.BEHIND, f"a peer has block {ahead}, this node only {outage.head}")
    if asked:
        return None
    needed = len(outage.schedule) * 2 // 3 + 1
    agreeing = {name for name, head in outage.holders.items() if name in outage.schedule and head == outage.head}
    agreeing.add(outage.account)
    if len(agreeing) < needed:
        seen = f"nodes of {len(agreeing)} scheduled producers are connected at block {outage.head}"
        return Objection(Reason.TOO_FEW, f"{seen}, {needed} are needed")
    return None


async def check_asked(name: str, account: str, node: NodeClient) -> None:
    """Checks a coordinator's request for stale production: the running node must see an outage. Raises NotNow."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            info, schedules = await node.get_info(), await node.get_producer_schedule()
            links = await node.connections()
    except (NodeError, TimeoutError) as error:
        raise NotNow(f"node {name}: start it normally first ({error})") from error
    outage = Outage(
        account=account,
        schedule=tuple(producer.name for producer in schedules.active.producers),
        head=info.head_block_num,
        silence=time.time() - info.head_block_time.timestamp(),
        peers=tuple(link.head_num for link in links if link.handshaken),
        holders={},
    )
    if found := objection(outage, asked=True):
        raise NotNow(f"node {name} may not start the chain again: {found.detail}")
