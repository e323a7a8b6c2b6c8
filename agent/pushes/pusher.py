"""Pushes transactions exactly once: each is signed once, written down, and pushed until its fate is known.

A transaction is done once it is in a block that stays on the chain. It can never happen once a block later than its
expiration is irreversible and no block holds it. Until one of these is certain, the same bytes are pushed again and
nothing else is signed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agent.errors import KeosdError, PushError, StalledError
from agent.pushes.blocks import BlockFollower
from agent.pushes.load import Dial, Load
from agent.pushes.records import Placed, PushRecords, Record
from agent.pushes.signing import Signer, StepLike
from agent.reports import Pushed
from antelope.errors import (
    AntelopeError,
    BadTapos,
    DuplicateTransaction,
    ExpiredTransaction,
    FeatureAlreadyActive,
    NodeError,
    PeerLost,
    ResourceExceeded,
)
from antelope.http import NodeClient
from antelope.keys import SigningKey
from antelope.transaction import COMPRESS_FROM, SignedTransaction
from boot.step import Finality, Preactivate, Push, Turn, Work
from support.retry import DeadlineError, poll, retrying
from support.tasks import end

log = logging.getLogger(__name__)

MANY = 10
"""Number of transactions from which on the node's p2p port is used."""
IN_FLIGHT = 4
"""Concurrent pushes to a node, for steps whose transactions are independent."""
SIGNATURES = 3
"""How often a transaction that expired without a block is signed anew."""
RESOURCE_TRIES = 8
"""How often a node may report that a transaction takes too long. Cold caches and busy disks are temporary."""
AGAIN_SECONDS = 3.0
"""Seconds until the same bytes are pushed again if no block holds them. A relay may have lost them."""
ACTIVATION_SECONDS = 30.0


class _Compressed(SignedTransaction):
    """The same transaction with the same id, compressed for transport."""

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"compression": "zlib", "packed_trx": zlib.compress(self.packed).hex()}


class Pusher:
    """Carries out a step's work on one node."""

    def __init__(
        self,
        node: NodeClient,
        follower: BlockFollower,
        records: PushRecords,
        key_of: Callable[[str], SigningKey],
        report: Callable[[Sequence[Pushed]], None],
        seen: int = 0,
        dial: Dial | None = None,
    ) -> None:
        """key_of: an account's key; raises KeyError if there is none. report: called once for each finished piece.
        seen: the head at which the chain was found to lack the work (0: unknown). A transaction that was irreversible
        by then had no lasting effect, so it is signed anew. dial: connects to the node's p2p port, for many
        transactions; None: all go over HTTP.
        """
        self._node = node
        self._follower = follower
        self._records = records
        self._signer = Signer(follower, records, key_of)
        self._report = report
        self._seen = seen
        self._dial = dial
        self._slots = asyncio.Semaphore(1)
        self._failure: PushError | None = None
        self._last_refusal = ""

    async def run(self, step: StepLike, work: Sequence[Work]) -> None:
        """Does all of the work, in order and one by one unless the step is parallel. Raises PushError.

        After a failure nothing more is started except what must always come last. Pieces under way are finished.
        """
        self._slots = asyncio.Semaphore(IN_FLIGHT if step.parallel else 1)
        turns: dict[Turn, list[Work]] = {turn: [] for turn in Turn}
        for item in work:
            turns[item.turn].append(item)
        await self._in_order(step, turns[Turn.FIRST])
        if step.parallel and not self._failure:
            await self._at_once(step, turns[Turn.ANY])
        else:
            await self._in_order(step, turns[Turn.ANY])
        failure, self._failure = self._failure, None
        await self._in_order(step, turns[Turn.LAST])
        if failure := failure or self._failure:
            raise failure

    async def _in_order(self, step: StepLike, work: Sequence[Work]) -> None:
        """Each is in a block before the next one starts."""
        ends: list[asyncio.Task[None]] = []
        try:
            for item in work:
                if self._failure:
                    break
                placed = asyncio.Event()
                ends.append(asyncio.create_task(self._carry_out(step, item, placed)))
                await placed.wait()
            await asyncio.gather(*ends)
        finally:
            await end(*ends)

    async def _at_once(self, step: StepLike, work: Sequence[Work]) -> None:
        ends: list[asyncio.Task[None]] = []

        def begin(item: Work) -> None:
            ends.append(asyncio.create_task(self._carry_out(step, item, asyncio.Event())))

        try:
            pushes = [item for item in work if isinstance(item, Push)]
            if self._dial and len(pushes) == len(work) >= MANY:
                with self._noting(step.name):
                    await self._load(step, pushes, self._dial, begin)
            else:
                for item in work:
                    begin(item)
            await asyncio.gather(*ends)
        finally:
            await end(*ends)

    async def _load(self, step: StepLike, pushes: Sequence[Push], dial: Dial, leave: Callable[[Push], None]) -> None:
        """Sends them over the p2p port. What is not taken there is pushed one by one."""
        records = {record.key: record for record in self._records.of_step(step.name)}
        fresh: list[Push] = []
        signed: list[tuple[Push, Record]] = []
        done: list[Placed] = []
        for push in pushes:
            record = records.get(push.key)
            if record is None or await self._did_not_do(record):
                fresh.append(push)
            elif 0 < (block := await self._find(record)) <= self._follower.final_to:
                done.append(Placed(record, block, final=True))
            elif block or self._alive(record):
                signed.append((push, record))
            else:
                leave(push)
        self._records.place(done)
        self._report([Pushed(one.record.key, one.record.id, one.block) for one in done])
        load = Load(step, dial, self._follower, self._signer, self._records, self._report)
        try:
            await load.run(fresh, signed, leave, lambda: self._failure is not None)
        except PeerLost as error:
            log.info("%s: not over the p2p port, but one by one: %s", step.name, error)
            for push in (*fresh, *(push for push, _ in signed)):
                leave(push)

    async def _carry_out(self, step: StepLike, item: Work, placed: asyncio.Event) -> None:
        try:
            with self._noting(f"{step.name} {item.key}"):
                if isinstance(item, Preactivate):
                    pushed = await self._preactivate(item)
                else:
                    pushed = await self._push(step, item, placed)
                self._report([pushed])
        finally:
            placed.set()

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """Keeps the first failure. A bug's exception passes unchanged."""
        try:
            yield
        except _Skipped:
            pass
        except PushError as error:
            self._fail(error)
        except (NodeError, DeadlineError, StalledError, KeosdError) as error:
            self._fail(PushError(f"{what}: {error}", retryable=True))
        except AntelopeError as error:
            self._fail(PushError(f"{what}: {error}"))

    def _fail(self, error: PushError) -> None:
        self._failure = self._failure or error

    async def _push(self, step: StepLike, push: Push, placed: asyncio.Event) -> Pushed:
        record = self._records.find(step.name, push.key)
        if record and await self._did_not_do(record):
            record = None
        for _ in range(SIGNATURES):
            record = await self._submitted(step, push, record)
            while block := await self._until_placed(record):
                self._note(record, block)
                placed.set()
                if step.finality is Finality.BLOCK or await self._is_final(record, block):
                    return Pushed(push.key, record.id, block)
                await self._submitted(step, push, record)  # a fork dropped it
            record = None
        raise PushError(f"{step.name} {push.key}: no block took the transaction, {SIGNATURES} times", retryable=True)

    async def _did_not_do(self, record: Record) -> bool:
        """Whether it was irreversible before the chain was seen to lack its work."""
        if not self._seen:
            return False
        block = record.block if record.final else await self._find(record)
        return 0 < block <= min(self._seen, self._follower.final_to)

    async def _submitted(self, step: StepLike, push: Push, record: Record | None) -> Record:
        """Gives the node the bytes, unless they are in a block already or have expired."""
        if record and await self._find(record):
            return record
        async with self._slots:
            if self._failure:
                raise _Skipped
            if record is None:
                ((record, _),) = await self._signer.sign(step, [push])
            if self._alive(record):
                await self._submit(record)
            return record

    async def _until_placed(self, record: Record) -> int:
        """The block that holds it; 0 if none ever can."""
        while True:
            block = await self._find(record)
            if not block and self._alive(record):
                block = await self._follower.placed(record.id, AGAIN_SECONDS)
            if block:
                return block
            if self._alive(record):
                async with self._slots:
                    await self._submit(record)
            elif await self._follower.final_time() > record.expiration:
                return await self._find(record)
            else:
                await self._follower.next_look()

    def _alive(self, record: Record) -> bool:
        """Whether a block may still take it."""
        return self._follower.info.head_block_time.timestamp() <= record.expiration

    async def _find(self, record: Record) -> int:
        return await self._follower.find(record.id, record.first, record.expiration)

    async def _is_final(self, record: Record, block: int) -> bool:
        """Waits until its block is irreversible. Returns False if a fork dropped it."""
        if block > self._follower.final_to and not await self._follower.final(record.id):
            return False
        self._note(record, await self._find(record))
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
            return  # The blocks tell what became of them.
        except NodeError as error:
            if isinstance(error, ResourceExceeded) or not _passes(error):
                raise PushError(
                    f"{record.step} {record.key}: {error}", retryable=isinstance(error, ResourceExceeded)
                ) from error

    async def _preactivate(self, work: Preactivate) -> Pushed:
        """Asks the producing node until the features are active. nodeos keeps such a request only in memory."""
        wanted = set(work.digests)

        async def active() -> bool:
            missing = wanted - set(await self._node.get_activated_protocol_features())
            if missing:
                try:
                    await self._node.schedule_protocol_feature_activations(sorted(missing))
                except FeatureAlreadyActive as error:  # or unknown to this node: the next look, or the deadline, tells
                    self._last_refusal = str(error)
            return not missing

        try:
            await poll(active, what="the protocol features to become active", deadline=ACTIVATION_SECONDS)
        except DeadlineError as error:
            raise PushError(f"preactivate {work.key}: {error}: {self._last_refusal}", retryable=True) from error
        return Pushed(work.key, "", self._follower.info.head_block_num)


class _Skipped(Exception):
    """This piece of work was not started."""


def _passes(error: BaseException) -> bool:
    """Whether the node may accept the same bytes a little later."""
    uncoded = isinstance(error, NodeError) and error.code is None and error.status >= 500
    return uncoded or (isinstance(error, NodeError) and error.retryable)
