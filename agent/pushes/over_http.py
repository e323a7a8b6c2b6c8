"""One transaction over HTTP, exactly once: signed, written down, pushed until its fate is known.

A transaction is done once it is in a block that stays on the chain. It can never happen once a block later than its
expiration is irreversible and no block holds it. Until one of these is certain, the same bytes are pushed again and
nothing else is signed.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent.errors import PushError
from agent.pushes.blocks import BlockFollower
from agent.pushes.records import Placed, PushRecords, Record
from agent.pushes.signing import Signer, StepLike
from agent.reports import Pushed
from antelope.errors import BadTapos, DuplicateTransaction, ExpiredTransaction, NodeError, ResourceExceeded
from antelope.http import NodeClient
from antelope.transaction import COMPRESS_FROM, SignedTransaction
from boot.step import Finality, Push
from support.retry import retrying

SIGNATURES = 3
"""How often a transaction that expired without a block is signed anew."""
RESOURCE_TRIES = 8
"""How often a node may report that a transaction takes too long. Cold caches and busy disks are temporary."""
AGAIN_SECONDS = 3.0
"""Seconds until the same bytes are pushed again if no block holds them. A relay may have lost them."""


@dataclass(frozen=True)
class Underway:
    """How far a transaction got."""

    taken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the node has accepted it. What is pushed to that node afterwards is executed after it."""
    placed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is in a block."""


class SkippedError(Exception):
    """This transaction was not begun."""


class _Compressed(SignedTransaction):
    """The same transaction with the same id, compressed for transport."""

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"compression": "zlib", "packed_trx": zlib.compress(self.packed).hex()}


class OverHttp:
    """Pushes transactions to one node, at most so many at the same time."""

    def __init__(
        self,
        node: NodeClient,
        follower: BlockFollower,
        records: PushRecords,
        signer: Signer,
        at_once: int,
        seen: int,
        may_begin: Callable[[Push], bool],
    ) -> None:
        """seen: the head when the chain was found to lack the work (0: unknown). may_begin: asked before each."""
        self._node = node
        self._follower = follower
        self._records = records
        self._signer = signer
        self._slots = asyncio.Semaphore(at_once)
        self._seen = seen
        self._may_begin = may_begin

    async def push(self, step: StepLike, push: Push, begun: Underway) -> Pushed:
        """Pushes one transaction, and returns its block once it counts (see `finality`). begun: its events are set as
        the push progresses.

        Raises SkippedError where it may not be begun, PushError, and as node and follower do.
        """
        record = self._records.find(step.name, push.key)
        if record and await self.did_not_do(record):
            record = None
        for _ in range(SIGNATURES):
            record = await self._submitted(step, push, record)
            begun.taken.set()
            while block := await self._until_placed(record):
                self._note(record, block)
                begun.placed.set()
                if step.finality is Finality.BLOCK or await self._is_final(record, block):
                    return Pushed(push.key, record.id, block)
                await self._submitted(step, push, record)  # a fork dropped it
            record = None
        raise PushError(f"{step.name} {push.key}: no block took the transaction, {SIGNATURES} times", retryable=True)

    async def did_not_do(self, record: Record) -> bool:
        """Whether the recorded transaction had no lasting effect: it was irreversible before the chain was seen to lack
        its work.
        """
        if not self._seen:
            return False
        block = record.block if record.final else await self.find(record)
        return 0 < block <= min(self._seen, self._follower.final_to)

    async def _submitted(self, step: StepLike, push: Push, record: Record | None) -> Record:
        """Signs if there is no record, and sends the bytes to the node unless they are in a block already or have
        expired.
        """
        if record and await self.find(record):
            return record
        async with self._slots:
            if not self._may_begin(push):
                raise SkippedError
            if record is None:
                ((record, _),) = await self._signer.sign(step, [push])
            if self.alive(record):
                await self._submit(record)
            return record

    async def _until_placed(self, record: Record) -> int:
        """Waits for the block that holds the transaction; 0 if no block can hold it any longer."""
        while True:
            block = await self.find(record)
            if not block and self.alive(record):
                block = await self._follower.placed(record.id, AGAIN_SECONDS)
            if block:
                return block
            if self.alive(record):
                async with self._slots:
                    await self._submit(record)
            elif await self._follower.final_time() > record.expiration:
                return await self.find(record)
            else:
                await self._follower.next_look()

    def alive(self, record: Record) -> bool:
        """Whether a block may still take it."""
        return self._follower.info.head_block_time.timestamp() <= record.expiration

    async def find(self, record: Record) -> int:
        """The block that holds it; 0: none does so far."""
        return await self._follower.find(record.id, record.first, record.expiration)

    async def _is_final(self, record: Record, block: int) -> bool:
        """Waits until its block is irreversible. Returns False if a fork dropped it."""
        if block > self._follower.final_to and not await self._follower.final(record.id):
            return False
        self._note(record, await self.find(record))
        return True

    def _note(self, record: Record, block: int) -> None:
        final = block <= self._follower.final_to
        if (record.block, record.final) != (block, final):
            self._records.place([Placed(record, block, final)])

    async def _submit(self, record: Record) -> None:
        """Pushes the bytes until the node accepts them. Raises PushError if it refuses them."""
        exceeded = 0

        def again(error: BaseException) -> bool:
            nonlocal exceeded
            exceeded += isinstance(error, ResourceExceeded)
            return _passes(error) and exceeded < RESOURCE_TRIES

        left = record.expiration - self._follower.info.head_block_time.timestamp()
        signed = self._records.signed(record)
        if len(signed.packed) > COMPRESS_FROM:
            signed = _Compressed(signed.signatures, signed.packed)
        try:
            await retrying(
                lambda: self._node.send_transaction(signed), on=again, deadline=max(left, 1.0), first=0.1, most=2.0
            )
        except DuplicateTransaction:
            return  # These very bytes are in the node's branch.
        except (ExpiredTransaction, BadTapos):
            return  # The blocks show whether they took effect.
        except NodeError as error:
            if isinstance(error, ResourceExceeded) or not _passes(error):
                raise PushError(
                    f"{record.step} {record.key}: {error}", retryable=isinstance(error, ResourceExceeded)
                ) from error


def _passes(error: BaseException) -> bool:
    """Whether the node may accept the same bytes a little later."""
    uncoded = isinstance(error, NodeError) and error.code is None and error.status >= 500
    return uncoded or (isinstance(error, NodeError) and error.retryable)
