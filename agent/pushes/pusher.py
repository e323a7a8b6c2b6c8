"""Pushes the work of a step on one node: in order, over HTTP or p2p, and as far as possible when a part fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence

from agent.errors import KeosdError, PushError, StalledError
from agent.pushes.blocks import BlockFollower
from agent.pushes.load import Dial, Load
from agent.pushes.over_http import OverHttp, SkippedError, Underway
from agent.pushes.preactivation import preactivate
from agent.pushes.records import Placed, PushRecords, Record
from agent.pushes.signing import Signer, StepLike
from agent.reports import Pushed
from antelope.errors import AntelopeError, NodeError, PeerLost
from antelope.http import NodeClient
from antelope.keys import SigningKey
from boot.step import Preactivate, Push, Turn, Work
from support.retry import DeadlineError
from support.tasks import end

log = logging.getLogger(__name__)

MANY = 10
"""Number of transactions from which on the node's p2p port is used."""
IN_FLIGHT = 4
"""Concurrent pushes to a node, for steps whose transactions are independent."""


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
        self._failure: PushError | None = None
        self._ends: list[asyncio.Task[None]] = []

    async def run(self, step: StepLike, work: Sequence[Work]) -> None:
        """Does all of the work, in order and one by one unless the step is parallel. Raises PushError.

        After a failure nothing more is started except what must always come last. Pieces under way are finished.
        """
        at_once = IN_FLIGHT if step.parallel else 1
        self._http = OverHttp(
            self._node, self._follower, self._records, self._signer, at_once, self._seen, self._may_begin
        )
        turns: dict[Turn, list[Work]] = {turn: [] for turn in Turn}
        for item in work:
            turns[item.turn].append(item)
        try:
            await self._in_order(step, turns[Turn.FIRST], until_placed=not step.parallel)
            if step.parallel and not self._failure:
                await self._at_once(step, turns[Turn.ANY])
            else:
                await self._in_order(step, turns[Turn.ANY])
            await self._in_order(step, turns[Turn.LAST])
            while waiting := [task for task in self._ends if not task.done()]:
                await asyncio.wait(waiting)
            for task in self._ends:
                task.result()
        finally:
            await end(*self._ends)
        if self._failure:
            raise self._failure

    async def _in_order(self, step: StepLike, work: Sequence[Work], *, until_placed: bool = True) -> None:
        """One by one: the next one starts when the previous one is in a block or, unless until_placed, accepted by the
        node.
        """
        for item in work:
            if not self._may_begin(item):
                break
            begun = self._begin(step, item)
            await (begun.placed if until_placed else begun.taken).wait()

    async def _at_once(self, step: StepLike, work: Sequence[Work]) -> None:
        """Returns once all are in blocks, or failed."""
        events: list[asyncio.Event] = []

        def begin(item: Work) -> None:
            events.append(self._begin(step, item).placed)

        pushes = [item for item in work if isinstance(item, Push)]
        if self._dial and len(pushes) == len(work) >= MANY:
            placed = asyncio.Event()
            self._ends.append(asyncio.create_task(self._load(step, pushes, self._dial, begin, placed)))
            await placed.wait()
        else:
            for item in work:
                begin(item)
        for event in events:
            await event.wait()

    def _begin(self, step: StepLike, item: Work) -> Underway:
        """Starts one piece. Returns the events that are set as it progresses, or when it fails."""
        begun = Underway()
        self._ends.append(asyncio.create_task(self._carry_out(step, item, begun)))
        return begun

    def _may_begin(self, item: Work) -> bool:
        """Whether a piece may start: after a failure only what must always come last."""
        return not self._failure or item.turn is Turn.LAST

    async def _load(
        self,
        step: StepLike,
        pushes: Sequence[Push],
        dial: Dial,
        leave: Callable[[Push], None],
        placed: asyncio.Event,
    ) -> None:
        """Sends them over the p2p port, and leaves those that it does not take to be pushed one by one. placed: set
        once all that it took are in blocks, or it failed.
        """
        try:
            with self._noting(step.name):
                await self._sort_out(step, pushes, dial, leave, placed)
        finally:
            placed.set()

    async def _sort_out(
        self,
        step: StepLike,
        pushes: Sequence[Push],
        dial: Dial,
        leave: Callable[[Push], None],
        placed: asyncio.Event,
    ) -> None:
        records = {record.key: record for record in self._records.of_step(step.name)}
        fresh: list[Push] = []
        signed: list[tuple[Push, Record]] = []
        done: list[Placed] = []
        for push in pushes:
            record = records.get(push.key)
            if record is None or await self._http.did_not_do(record):
                fresh.append(push)
            elif 0 < (block := await self._http.find(record)) <= self._follower.final_to:
                done.append(Placed(record, block, final=True))
            elif block or self._http.alive(record):
                signed.append((push, record))
            else:
                leave(push)
        self._records.place(done)
        self._report([Pushed(one.record.key, one.record.id, one.block) for one in done])
        load = Load(step, dial, self._follower, self._signer, self._records, self._report)
        try:
            await load.run(fresh, signed, leave, lambda: self._failure is not None, placed)
        except PeerLost as error:
            log.info("%s: not over the p2p port, but one by one: %s", step.name, error)
            for push in (*fresh, *(push for push, _ in signed)):
                leave(push)

    async def _carry_out(self, step: StepLike, item: Work, begun: Underway) -> None:
        try:
            with self._noting(f"{step.name} {item.key}"):
                if isinstance(item, Preactivate):
                    await preactivate(self._node, item)
                    pushed = Pushed(item.key, "", self._follower.info.head_block_num)
                else:
                    pushed = await self._http.push(step, item, begun)
                self._report([pushed])
        finally:
            begun.taken.set()
            begun.placed.set()

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """Keeps the first failure. A bug's exception passes unchanged."""
        try:
            yield
        except SkippedError:
            pass
        except PushError as error:
            self._fail(error)
        except (NodeError, DeadlineError, StalledError, KeosdError) as error:
            self._fail(PushError(f"{what}: {error}", retryable=True))
        except AntelopeError as error:
            self._fail(PushError(f"{what}: {error}"))

    def _fail(self, error: PushError) -> None:
        self._failure = self._failure or error
