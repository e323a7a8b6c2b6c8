"""After a total outage, producers' agents restart the chain by themselves, without a coordinator.

The rule is in agent.nodes.starter. The chain decides who begins: the first of the active schedule; if that one does
not come back, each next one follows after the same delay. For a round before its turn its node dials all other
producers' nodes: in a large network few of them are its peers, and it has to see two thirds of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from agent.errors import AgentError
from agent.nodeos.config import produces
from agent.nodes.starter import LOOK_SECONDS, PATIENCE_ROUNDS, Objection, Outage, Reason, objection
from agent.nodes.supervisor import Nodes
from agent.producers import ProducerEndpoints
from antelope.answers import Info, PeerLink, Schedules
from antelope.elections import TURN_SECONDS
from antelope.errors import NodeError
from antelope.http import NodeClient
from boot.step import NodeMode
from protos.states import NodeState

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
AGAIN_SECONDS = 120.0
"""Seconds until a node may start with stale production again. Nodes need some time to agree."""


def round_seconds(schedule: tuple[str, ...]) -> float:
    """How long one round of the schedule takes."""
    return TURN_SECONDS * len(schedule)


def patience(schedule: tuple[str, ...], account: str) -> float:
    """Seconds without a block after which the account's node begins. Raises ValueError when it is not scheduled."""
    return PATIENCE_ROUNDS * (schedule.index(account) + 1) * round_seconds(schedule)


def near(found: Outage) -> bool:
    """Whether it is this node's turn to begin now, or within a round."""
    if found.account not in found.schedule:
        return False
    return found.silence > patience(found.schedule, found.account) - round_seconds(found.schedule)


def outage(account: str, info: Info, schedules: Schedules, links: list[PeerLink], seen: float, now: float) -> Outage:
    """What a node shows. seen: for how many seconds its head has been the same for this agent; now: Unix seconds.

    A peer is identified by the key that signed its handshake. The head that it reported may be outdated, since later
    blocks went to every peer. So a peer counts as being at this node's head unless it reported a higher one.
    """
    keys = {key: producer.name for producer in schedules.active.producers for key in producer.keys}
    heads = [(link.key, link.head_num) for link in links if link.handshaken]
    return Outage(
        account=account,
        schedule=schedules.active.names,
        head=info.head_block_num,
        silence=min(now - info.head_block_time.timestamp(), seen),
        peers=tuple(head for _, head in heads),
        holders={keys[key]: max(head, info.head_block_num) for key, head in heads if key in keys},
    )


def may_begin(found: Outage) -> Objection | None:
    """Why the node may not begin by itself now; None if it may. The later its turn, the longer it waits."""
    if found.account in found.schedule and found.silence <= patience(found.schedule, found.account):
        needed = patience(found.schedule, found.account)
        return Objection(
            Reason.NOT_ITS_TURN,
            f"{found.account} begins after {needed:g} s without a block, {found.silence:.0f} s so far",
        )
    return objection(found, asked=False)


@dataclass
class Watch:
    """The memory of one node between two checks."""

    head: str = ""
    since: float = field(default_factory=time.monotonic)
    told: Reason | None = None
    """Why it does not begin, as last logged."""
    begun: float = 0.0
    dialled: frozenset[str] = frozenset()
    """Endpoints that were dialled for this outage and are not the node's configured peers."""

    def standing(self, head: str) -> float:
        """For how many seconds its head has been this block."""
        if head != self.head:
            self.head, self.since, self.told = head, time.monotonic(), None
        return time.monotonic() - self.since


async def watch_outages(nodes: Nodes, producers: ProducerEndpoints) -> None:
    """Watches every producer's node of this host. producers: the endpoints to dial when no block comes."""
    watches: dict[str, Watch] = {}
    while True:
        for status in await nodes.status():
            record = nodes.record(status.name)
            ordinary = status.state is NodeState.RUNNING and status.mode is NodeMode.NORMAL
            if ordinary and not status.withheld and record.spec.account and produces(record.spec, record.mode):
                watch = watches.setdefault(status.name, Watch())
                await _look(nodes, status.name, producers, watch)
        await asyncio.sleep(WATCH_SECONDS)


async def _look(nodes: Nodes, name: str, producers: ProducerEndpoints, watch: Watch) -> None:
    spec = nodes.record(name).spec
    account, node = str(spec.account), nodes.client(name)
    try:
        found = await _outage(node, account, watch)
    except (NodeError, TimeoutError):
        return  # It is being started or stopped; a node that stays silent is the supervisor's concern.
    others = frozenset(producers.known) - {spec.p2p_endpoint, *spec.peers}
    await dial(node, others if near(found) else frozenset(), watch)
    if account not in found.schedule or found.silence <= 2 * round_seconds(found.schedule):
        return
    if objected := may_begin(found):
        if watch.told is not objected.reason:
            watch.told = objected.reason
            log.warning("node %s: the chain has stalled at block %d: %s", name, found.head, objected.detail)
        return
    if watch.begun and time.monotonic() - watch.begun < AGAIN_SECONDS:
        return
    watch.begun = time.monotonic()
    log.warning(
        "node %s: no block for %.0f s, nodes of %s are at block %d as well: restarting it with stale production",
        name, found.silence, ", ".join(sorted(found.holders)) or "nobody else", found.head,
    )  # fmt: skip
    try:
        await nodes.start(nodes.record(name).spec, NodeMode.STARTER)
    except AgentError as error:
        log.warning("node %s: %s", name, error)


async def dial(node: NodeClient, wanted: frozenset[str], watch: Watch) -> None:
    """Connects the node to these endpoints in addition to its peers, and disconnects those of an earlier outage.

    A failure is only logged: the other peers may be enough.
    """
    for endpoint in sorted(watch.dialled ^ wanted):
        try:
            await (node.connect if endpoint in wanted else node.disconnect)(endpoint)
        except NodeError as error:
            log.info("producers' endpoint %s: %s", endpoint, error)
    watch.dialled = wanted


async def _outage(node: NodeClient, account: str, watch: Watch) -> Outage:
    async with asyncio.timeout(LOOK_SECONDS):
        info = await node.get_info()
        seen = watch.standing(info.head_block_id)
        return outage(account, info, await node.get_producer_schedule(), await node.connections(), seen, time.time())
