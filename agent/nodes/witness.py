"""Two blocks of one producer for one slot, and blocks that a node's own producer made elsewhere. Pure.

nodeos logs each block once: the ones it made, and the ones it got from peers, also those of a branch that loses. (Where
others write `signed by`, Leap 3 writes `singer:` for blocks of its own.)
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from antelope.answers import Schedule
from antelope.keys import PublicKey

SLOTS = 4096
"""Latest slots that are remembered: half an hour."""
_LINE = re.compile(
    r"\] (?P<how>Produced|Received) block (?P<id>[0-9a-f]{8,64})\S* #(?P<num>\d+)(?: \d+)? @ (?P<slot>[0-9T:.-]{19,29})"
    r"Z? (?:singer:|signed by) ?(?P<producer>[a-z1-5.]{1,13})"
)
_STAMP = re.compile(r"^(?:<\d>)?(?:debug|info|warn|error) +(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)", re.MULTILINE)


@dataclass(frozen=True)
class SeenBlock:
    """A block as nodeos logged it."""

    id: str
    """The first hex digits of its id."""
    num: int
    slot: float
    """Its time, Unix seconds."""
    producer: str
    here: bool
    """This node made it."""


@dataclass(frozen=True)
class Double:
    """What shows that two nodes sign for one producer."""

    producer: str
    slot: float
    """Unix seconds."""
    blocks: tuple[SeenBlock, ...]
    """Two of the same slot, or one of this node's own producer that it did not make."""

    def __str__(self) -> str:
        """One line, for a person."""
        when = f"{datetime.fromtimestamp(self.slot, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-5]
        if len(self.blocks) > 1:
            ids = " and ".join(f"{block.num} ({block.id[:16]}…)" for block in self.blocks)
            return f"{self.producer} signed two blocks for {when}: {ids}"
        (block,) = self.blocks
        return f"block {block.num} of {when} ({block.id[:16]}…) is signed by {self.producer}, and not by this node"


def parse(line: str) -> SeenBlock | None:
    """The block that a line of nodeos' log reports; None for any other line."""
    found = _LINE.search(line)
    if found is None:
        return None
    try:
        slot = datetime.fromisoformat(found["slot"]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return SeenBlock(found["id"], int(found["num"]), slot, found["producer"], found["how"] == "Produced")


def last_stamp(log: str) -> float | None:
    """When nodeos wrote the last line of this log, in Unix seconds: by the line itself, since a copy has new times."""
    stamps = _STAMP.findall(log)
    return datetime.fromisoformat(stamps[-1]).replace(tzinfo=UTC).timestamp() if stamps else None


class Witness:
    """Reads one node's log in order."""

    def __init__(self) -> None:
        self._slots: OrderedDict[tuple[str, float], SeenBlock] = OrderedDict()

    def note(self, block: SeenBlock, own: str | None, since: float) -> Double | None:
        """The finding from this block, if any. own: the producer that the node signs for, since then (Unix seconds)."""
        key = block.producer, block.slot
        known = self._slots.get(key)
        if known is None:
            self._slots[key] = block
            if len(self._slots) > SLOTS:
                self._slots.popitem(last=False)
        elif not _same(known, block):
            return Double(block.producer, block.slot, (known, block))
        if block.producer == own and not block.here and block.slot > since:
            return Double(block.producer, block.slot, (block,))
        return None


@dataclass
class OtherKeys:
    """Tracks the schedules under which a node's own producer signs with a key that another host has.

    While a producer moves to another host, the earlier node signs with the earlier key: that is not a second signer.
    """

    latest: int = -1
    """The latest such schedule that was seen active."""

    def signed(self, own: str, active: Schedule, keys: Collection[PublicKey], version: int) -> bool:
        """Whether a block of the producer `own` under the schedule of this version was signed with such a key.

        active: the schedule now. keys: the node's own.
        """
        named = {key for producer in active.producers if producer.name == own for key in producer.keys}
        if named and named.isdisjoint(keys):
            self.latest = max(self.latest, active.version)
        return version <= self.latest


def _same(one: SeenBlock, other: SeenBlock) -> bool:
    length = min(len(one.id), len(other.id))
    return one.num == other.num and one.id[:length] == other.id[:length]
