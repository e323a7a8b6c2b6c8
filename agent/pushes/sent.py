"""Tracks transactions that were sent without an answer, by what the node's blocks hold."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.pushes.blocks import BlockFollower
from agent.pushes.records import Placed, PushRecords, Record
from agent.pushes.signing import StepLike
from agent.reports import Pushed
from boot.step import Finality, Push

FIRST_WINDOW, LARGEST_WINDOW = 4 << 20, 8 << 20
"""Bytes that may be in flight (sent, in no block yet), at first and once the chain keeps up. nodeos silently drops
transactions beyond 100 MB.
"""
WAITING_SECONDS = 4.0
"""Nothing more is sent while a transaction has been in flight for so many seconds: it would only expire in a queue."""
OVERTAKEN_SECONDS = 1.0
"""Seconds after a later transaction got into a block until this one is given up: the time of two blocks, because nodeos
defers some transactions to the next block.
"""
SILENT_BLOCKS = 20
"""After this many blocks with none of the transactions in flight, the node counts as not accepting them over p2p."""


@dataclass
class _One:
    """A transaction in flight, or in a block that does not count yet."""

    push: Push
    record: Record
    size: int
    """Bytes."""
    number: int
    """Counts what is sent."""
    at: float
    """When it was sent or a fork dropped it, in monotonic seconds."""
    block: int = 0
    """0 while it is in flight."""


class Sent:
    """The transactions of one step, from sending to the block in which they count."""

    def __init__(
        self,
        step: StepLike,
        follower: BlockFollower,
        records: PushRecords,
        report: Callable[[Sequence[Pushed]], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """report: called once for each that is done. now: the clock, in seconds."""
        self._final = step.finality is Finality.IRREVERSIBLE
        self._follower = follower
        self._records = records
        self._report = report
        self._now = now
        self._all: dict[str, _One] = {}
        """By transaction id, in the order of sending."""
        self._count = 0
        self._bytes = 0
        """Bytes in flight."""
        self._window = FIRST_WINDOW
        self._passed: deque[tuple[float, int]] = deque()
        """Times of looks, each with the highest number of a transaction that was then in a block."""
        self._overtaken = 0
        """Transactions with a lower number were overtaken OVERTAKEN_SECONDS ago."""
        self._heard = follower.info.head_block_num
        """The head when a transaction was last seen in a block, or when none was in flight."""

    def __len__(self) -> int:
        return len(self._all)

    @property
    def room(self) -> bool:
        """Whether more may be sent now."""
        oldest = next((one.at for one in self._all.values() if not one.block), self._now())
        return self._bytes < self._window and self._now() - oldest < WAITING_SECONDS

    @property
    def silent(self) -> bool:
        """Whether many blocks in a row hold none of the transactions in flight."""
        return self._bytes > 0 and self._follower.info.head_block_num - self._heard > SILENT_BLOCKS

    @property
    def on_their_way(self) -> tuple[Record, ...]:
        """The transactions in no block yet, in the order of sending."""
        return tuple(one.record for one in self._all.values() if not one.block)

    def add(self, push: Push, record: Record, size: int) -> None:
        """Records that a transaction is being sent. size: bytes."""
        if not self._bytes:
            self._heard = self._follower.info.head_block_num
        self._count += 1
        self._bytes += size
        self._all[record.id] = _One(push, record, size, self._count, self._now())

    def look(self) -> tuple[Push, ...]:
        """Compares with the follower's blocks. Returns and drops the transactions that will not get into a block."""
        done = [one for one in self._all.values() if self._counts(one)]
        for one in done:
            del self._all[one.record.id]
        if done:
            self._records.place(Placed(one.record, one.block, one.block <= self._follower.final_to) for one in done)
            self._report([Pushed(one.push.key, one.record.id, one.block) for one in done])
        self._see_overtaken()
        head = self._follower.info.head_block_time.timestamp()
        return self._take(
            [
                one
                for one in self._all.values()
                if not one.block and (one.record.expiration < head or one.number < self._overtaken)
            ]
        )

    def take_back(self) -> tuple[Push, ...]:
        """Returns and drops all of them."""
        return self._take(list(self._all.values()))

    def _counts(self, one: _One) -> bool:
        block = self._follower.where(one.record.id)
        if block and not one.block:
            self._bytes -= one.size
            self._window = min(self._window + one.size, LARGEST_WINDOW)
            self._heard = self._follower.info.head_block_num
            if not self._passed or one.number > self._passed[-1][1]:
                self._passed.append((self._now(), one.number))
        elif one.block and not block:  # a fork dropped it; the node has it still, and puts it into another block
            self._bytes += one.size
            one.at, self._count = self._now(), self._count + 1
            one.number = self._count
        one.block = block
        return block > 0 and (not self._final or block <= self._follower.final_to)

    def _see_overtaken(self) -> None:
        while self._passed and self._now() - self._passed[0][0] > OVERTAKEN_SECONDS:
            self._overtaken = self._passed.popleft()[1]

    def _take(self, which: Sequence[_One]) -> tuple[Push, ...]:
        for one in which:
            del self._all[one.record.id]
            self._bytes -= 0 if one.block else one.size
        return tuple(one.push for one in which)
