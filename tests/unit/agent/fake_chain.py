"""A chain without contracts, in memory: it takes transactions into blocks, forks, loses answers, and is quick."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from antelope.answers import Receipt
from antelope.errors import DuplicateTransaction, ExpiredTransaction
from antelope.http import NodeClient
from antelope.transaction import SignedTransaction

CHAIN_ID = "ab" * 32
BLOCK_SECONDS = 0.01
"""Real seconds a block; each is half a second of the chain's time."""


@dataclass
class _Block:
    id: str
    previous: str
    time: float
    transactions: list[SignedTransaction]


@dataclass
class FakeChain(NodeClient):
    """What the pushes ask of a NodeClient. `on_send` runs before a push is taken, and may raise."""

    lag: int = 1
    """Blocks from the head to the last irreversible one."""
    on_send: list[Callable[[SignedTransaction], None]] = field(default_factory=list)
    """Used up one a push."""
    deaf: bool = False
    """Takes pushes, and puts them into no block."""
    pushes: list[SignedTransaction] = field(default_factory=list)
    pending: list[SignedTransaction] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    after_send: list[Callable[[], None]] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    schedules: int = 0
    finality: bool = True
    chain_id: str = CHAIN_ID

    def __post_init__(self) -> None:
        NodeClient.__init__(self, "http://fake")
        self._lib = 1
        self._seed = 0
        self.blocks = [_Block("00" * 32, "", time.time() - 20, [])]
        for _ in range(40):
            self.make_block()

    def make_block(self) -> None:
        """The head moves on by one."""
        previous = self.blocks[-1]
        taken, self.pending = self.pending, []
        self._seed += 1
        digest = hashlib.sha256(f"{previous.id} {self._seed}".encode()).hexdigest()
        self.blocks.append(_Block(f"{len(self.blocks):08x}{digest[8:]}", previous.id, previous.time + 0.5, taken))
        if self.finality:
            self._lib = max(self._lib, len(self.blocks) - 1 - self.lag)

    def fork(self, depth: int) -> None:
        """Other blocks, without transactions, take the place of the last ones, and one more."""
        del self.blocks[-depth:]
        self.pending = []
        for _ in range(depth + 1):
            self.make_block()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FakeChain]:
        """Makes blocks until the end."""

        async def produce() -> None:
            while True:
                await asyncio.sleep(BLOCK_SECONDS)
                self.make_block()

        task = asyncio.create_task(produce())
        try:
            yield self
        finally:
            task.cancel()

    def holding(self, transaction: str) -> int:
        """How many blocks hold it."""
        return sum(one.id == transaction for block in self.blocks for one in block.transactions)

    async def send_transaction(self, transaction: SignedTransaction) -> Receipt:
        """As NodeClient's."""
        await asyncio.sleep(0)
        if self.on_send:
            self.on_send.pop(0)(transaction)
        self.pushes.append(transaction)
        if transaction.transaction.expiration < self.blocks[-1].time:
            raise ExpiredTransaction(500, 3040005, "expired_tx_exception", "expired")
        known = {one.id for block in self.blocks for one in block.transactions} | {one.id for one in self.pending}
        if transaction.id in known:
            raise DuplicateTransaction(409, 3040008, "tx_duplicate", "duplicate transaction")
        if not self.deaf:
            self.pending.append(transaction)
        if self.after_send:
            self.after_send.pop(0)()
        return Receipt(transaction.id, len(self.blocks), "executed", 100, 100)

    async def schedule_protocol_feature_activations(self, digests: list[str]) -> None:
        """Forgets the first request, as a node does that restarts."""
        self.schedules += 1
        if self.schedules > 1:
            self.features.update(digests)

    async def call(self, path: str, body: object) -> Any:
        """get_info, get_raw_block, get_activated_protocol_features."""
        await asyncio.sleep(0)
        if path.endswith("get_info"):
            return self._info()
        if path.endswith("get_raw_block"):
            assert isinstance(body, dict)
            return self._block(str(body["block_num_or_id"]))
        return {"activated_protocol_features": [{"feature_digest": digest} for digest in self.features]}

    def _info(self) -> dict[str, Any]:
        head = self.blocks[-1]
        return {
            "chain_id": self.chain_id,
            "head_block_num": len(self.blocks) - 1,
            "head_block_id": head.id,
            "head_block_time": _text(head.time),
            "head_block_producer": "eosio",
            "last_irreversible_block_num": self._lib,
            "last_irreversible_block_id": self.blocks[self._lib].id,
        }

    def _block(self, num_or_id: str) -> dict[str, Any]:
        block = next(
            one for number, one in enumerate(self.blocks) if num_or_id in (one.id, str(number)) and len(num_or_id) > 0
        )
        receipts = [{"status": "executed", "trx": [1, one.to_json()]} for one in block.transactions]
        return {"previous": block.previous, "timestamp": _text(block.time), "transactions": receipts}


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
