"""Watches that one node signs for a producer: gives a withheld node its key once nobody else signs, and takes it away.

agent.nodes.leases and agent.nodes.witness have the rules; this module applies them to nodes and their logs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from agent.errors import AgentError, UnknownNode
from agent.nodeos.config import produces
from agent.nodes.leases import EARLY_SECONDS, Finding, Leases, Signed, Standing, View, is_later, judge, window
from agent.nodes.supervisor import Nodes
from agent.nodes.witness import Double, OtherKeys, Witness, parse
from antelope.elections import BLOCKS_PER_TURN
from antelope.errors import NodeError, UnknownBlock
from antelope.http import NodeClient
from boot.step import NodeMode

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 20.0
"""Seconds that a node may take to answer all questions of a look."""
AT_ONCE = 16
"""Blocks that are read at the same time."""
LOG_END = 1 << 18
"""Bytes at the end of a log that are read at first, and at most at once: some hundred blocks."""


@dataclass
class Watched:
    """The memory of a node between two looks."""

    offset: int | None = None
    """How much of the log was read."""
    rest: str = ""
    witness: Witness = field(default_factory=Witness)
    began: float = 0.0
    """When the look began, in Unix seconds; 0 if there is none."""
    blocks: dict[int, Signed] = field(default_factory=dict)
    seen: set[tuple[str, float]] = field(default_factory=set)
    """Findings that were already reported."""
    others: OtherKeys = field(default_factory=OtherKeys)
    first: float = 0.0
    """The slot of the first block that another node signed for this one's producer; 0: none yet."""
    told: str = ""
    """Why it could not be given or refused its key, as last logged."""


async def watch_signers(nodes: Nodes, leases: Leases) -> None:
    """Watches every node of this host."""
    watched: dict[str, Watched] = {}
    while True:
        for name in nodes.names:
            if nodes.running(name):
                await _look(nodes, leases, name, watched.setdefault(name, Watched()))
        await asyncio.sleep(LOOK_SECONDS)


async def _look(nodes: Nodes, leases: Leases, name: str, watch: Watched) -> None:
    try:
        record, withheld = nodes.record(name), nodes.folder(name).withheld
        own = str(record.spec.account) if produces(record.spec, record.mode) else None
        signs = own is not None and withheld is None
        for double in await asyncio.to_thread(_read, nodes, name, watch, own if signs else None):
            await _found(nodes, leases, name, watch, double, own if signs else None)
        if own is None or record.mode is NodeMode.GENESIS:
            return
        if withheld is None:
            watch.began = 0.0
            leases.used(own)
            if leases.of(own).standing is Standing.TAKEN:
                log.warning("node %s stops signing: %s", name, leases.of(own).why)
                await nodes.withhold(name)
        elif leases.confirmed(own):
            await nodes.release(name)
        elif leases.of(own).standing is not Standing.TAKEN:
            await _judge(nodes, leases, name, own, withheld.signed_last, watch)
    except (NodeError, TimeoutError, UnknownNode):
        return  # it is being started or stopped
    except AgentError as error:
        if watch.told != str(error):  # the next look, a second later, tries again
            watch.told = str(error)
            log.warning("node %s: %s", name, error)


async def _judge(
    nodes: Nodes, leases: Leases, name: str, account: str, signed_last: float | None, watch: Watched
) -> None:
    if not watch.began:
        watch.began, watch.blocks = time.time(), {}
    async with asyncio.timeout(ANSWER_SECONDS):
        begun = nodes.folder(name).beginning
        least = begun.block + 1 if begun else 2
        seen = await _view(nodes.client(name), account, signed_last, watch, least, alone=leases.alone(account))
    match judge(seen):
        case Finding.CLEAR:
            await nodes.release(name)
            log.info("node %s: nobody else signs as %s: it has its key again", name, account)
        case Finding.OTHER:
            leases.taken(account, f"another node signs as {account}: stop one of the two")
            log.warning("node %s signs nothing: %s", name, leases.of(account).why)
            await nodes.withhold(name)
        case Finding.WAIT:
            return


async def _view(
    node: NodeClient, account: str, signed_last: float | None, watch: Watched, least: int, *, alone: bool
) -> View:
    """least: the first block that the node has."""
    info = await node.get_info()
    schedule = (await node.get_producer_schedule()).active.names
    links = await node.connections()
    heads = [link.head_num for link in links if link.handshaken]
    first = max(least, info.head_block_num - round(window(schedule) / 6 * BLOCKS_PER_TURN))
    missing = [num for num in range(first, info.head_block_num + 1) if num not in watch.blocks]
    for start in range(0, len(missing), AT_ONCE):
        part = missing[start : start + AT_ONCE]
        for num, block in zip(part, await asyncio.gather(*(node.get_block_info(num) for num in part)), strict=True):
            watch.blocks[num] = Signed(block.producer, block.timestamp.timestamp())
    for num in [num for num in watch.blocks if num < first]:
        del watch.blocks[num]
    level = info.head_block_num >= max(heads, default=0) and (bool(heads) or not links)
    blocks = tuple(watch.blocks.values())
    return View(account, schedule, blocks, level, signed_last, watch.began, alone, time.time())


def _read(nodes: Nodes, name: str, watch: Watched, own: str | None) -> list[Double]:
    """Reads new lines of the node's log."""
    try:
        with nodes.folder(name).log.path.open("rb") as file:
            size = file.seek(0, 2)
            if watch.offset is None or size < watch.offset:  # read for the first time, or its beginning was moved away
                watch.offset, watch.rest = max(0, size - LOG_END), ""
            file.seek(max(watch.offset, size - LOG_END))
            text = watch.rest + file.read(LOG_END).decode("utf-8", "replace")
            watch.offset = file.tell()
    except OSError:
        return []
    *lines, watch.rest = text.split("\n")
    since = nodes.since(name) + EARLY_SECONDS  # before that come its own of an earlier run, which it had lost
    blocks = filter(None, map(parse, lines))
    return [double for block in blocks if (double := watch.witness.note(block, own, since))]


async def _found(nodes: Nodes, leases: Leases, name: str, watch: Watched, double: Double, own: str | None) -> None:
    """Reports a double once per slot. The node that started later stops signing."""
    key = double.producer, double.slot
    if key in watch.seen:
        return
    if double.producer == own and len(double.blocks) == 1 and await _by_other_key(nodes, name, watch, double):
        return
    watch.seen.add(key)
    nodes.note_double(name, str(double))
    log.warning("node %s: %s", name, double)
    if own is None or double.producer != own or all(block.here for block in double.blocks):
        return
    watch.first = watch.first or double.slot
    schedule = (await nodes.client(name).get_producer_schedule()).active.names
    if not leases.confirmed(own) and is_later(nodes.since(name), watch.first, schedule):
        leases.taken(own, f"another node signed as {own} before this one ({double})")


async def _by_other_key(nodes: Nodes, name: str, watch: Watched, double: Double) -> bool:
    """Whether a block that the node did not make has another key's signature: its producer moves to another host."""
    client, block = nodes.client(name), double.blocks[0]
    active = (await client.get_producer_schedule()).active
    try:
        version = (await client.get_block_info(block.num)).schedule_version
    except UnknownBlock:  # of a branch that lost
        version = active.version
    return watch.others.signed(block.producer, active, nodes.signing_keys(name), version)
