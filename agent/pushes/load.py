"""Sends many independent transactions over the node's p2p port, which is as fast as the chain.

Each is signed once and written down before it is sent. p2p gives no answer, so blocks tell which ones the chain took. A
transaction that later ones overtake, or that appears in no block, is left to the pusher, which sends the same bytes
over HTTP and learns why the node refuses them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from agent.pushes.blocks import BlockFollower
from agent.pushes.records import PushRecords, Record
from agent.pushes.sent import Sent
from agent.pushes.signing import Signer, StepLike
from agent.reports import Pushed
from antelope.errors import PeerLost
from antelope.peer import Peer
from antelope.transaction import SignedTransaction
from boot.step import Push
from support.endpoint import Endpoint
from support.retry import retrying

SIGNED_AT_ONCE = 32
"""Number of transactions that are signed and written down together."""
LOOK_SECONDS = 0.5
"""Seconds between two looks at the head while more are to be sent: a block's time. What may be in flight fills several
blocks, so nothing waits for a look.
"""
LAST_LOOK_SECONDS, CLOSE_BLOCKS = 0.03, 3
"""The same once all are in blocks, and the LIB is so few blocks behind the head that the next block may end the step.
With many producers it is hundreds of blocks behind.
"""
DIAL_SECONDS = 20.0
"""How long a lost connection is redialled. A killed node is back within that time."""

Dial = Callable[[], Awaitable[Peer]]
"""Connects to the node. Raises PeerLost."""


def dialling(listening: str, follower: BlockFollower) -> Dial:
    """To this host's own node. listening: its p2p-listen-endpoint, HOST:PORT."""
    endpoint = Endpoint.parse(listening)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(endpoint.host, endpoint.host)  # noqa: S104 (where it listens)

    async def dial() -> Peer:
        return await Peer.dial(host, endpoint.port, follower.info, "bootcoord")

    return dial


class Load:
    """The transactions of one step, sent to one node."""

    def __init__(
        self,
        step: StepLike,
        dial: Dial,
        follower: BlockFollower,
        signer: Signer,
        records: PushRecords,
        report: Callable[[Sequence[Pushed]], None],
    ) -> None:
        """report: called once for each that is done."""
        self._step = step
        self._dial = dial
        self._follower = follower
        self._signer = signer
        self._records = records
        self._sent = Sent(step, follower, records, report)

    async def run(
        self,
        fresh: Sequence[Push],
        signed: Sequence[tuple[Push, Record]],
        leave: Callable[[Push], None],
        stopped: Callable[[], bool],
        placed: asyncio.Event,
    ) -> None:
        """Sends them until each is done or left to the pusher. signed: what an earlier run signed and may still get
        into a block. stopped: whether no further transaction may be started. placed: set once all are in blocks or left
        to the pusher, before the blocks are irreversible. Raises PeerLost where the node takes no peer (nothing was
        begun then), PushError, and as the follower does.
        """
        peer, usual = await self._dial(), self._follower.pace
        self._follower.pace = LOOK_SECONDS
        try:
            await self._send(peer, [(push, record, self._records.signed(record)) for push, record in signed])
            queue = deque(fresh)
            while queue or len(self._sent):
                for push in self._sent.look():
                    leave(push)
                if stopped():
                    queue.clear()
                if peer.lost:
                    await peer.close()
                    peer = await self._again(peer)
                if peer.lost or self._sent.silent:
                    for push in (*self._sent.take_back(), *queue):
                        leave(push)
                    return
                await self._fill(peer, queue)
                if not queue:
                    self._follower.pace = usual
                    if not self._sent.on_their_way:
                        placed.set()
                        if self._follower.info.head_block_num - self._follower.final_to <= CLOSE_BLOCKS:
                            self._follower.pace = min(usual, LAST_LOOK_SECONDS)
                if queue or len(self._sent):
                    await self._follower.next_look()
        finally:
            self._follower.pace = usual
            await peer.close()

    async def _fill(self, peer: Peer, queue: deque[Push]) -> None:
        while queue and self._sent.room and not peer.lost:
            pushes = [queue.popleft() for _ in range(min(SIGNED_AT_ONCE, len(queue)))]
            made = await self._signer.sign(self._step, pushes)
            await self._send(peer, [(push, *one) for push, one in zip(pushes, made, strict=True)])

    async def _send(self, peer: Peer, what: Sequence[tuple[Push, Record, SignedTransaction]]) -> None:
        for push, record, signed in what:
            self._sent.add(push, record, len(signed.packed))
        with contextlib.suppress(PeerLost):  # over the next connection they are sent again
            await peer.send([signed for _, _, signed in what])

    async def _again(self, lost: Peer) -> Peer:
        """Returns a new connection, over which everything that is in no block yet was sent again, or the lost one if
        redialling fails.
        """
        try:
            peer = await retrying(self._dial, on=PeerLost, deadline=DIAL_SECONDS, most=1.0)
        except PeerLost:
            return lost
        with contextlib.suppress(PeerLost):
            await peer.send([self._records.signed(record) for record in self._sent.on_their_way])
        return peer
