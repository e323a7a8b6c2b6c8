"""Tells which block holds a transaction. Reads each block once, and follows forks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from agent.background import logged
from agent.errors import StalledError
from antelope.answers import Info, parse_time, read_answer
from antelope.errors import NodeError, UnknownEndpoint
from antelope.reads import ChainReader
from support.retry import DeadlineError
from support.tasks import beside

LOOK_SECONDS = 0.1
"""Seconds between two looks at the head: a fifth of a block."""
ANSWER_SECONDS = 30.0
"""How long a node may not answer before waiting callers get an error."""
HEAD_SECONDS = 120.0
"""How long the head may stand still. Even one of four producers makes a block within a round."""
FINAL_SECONDS = 600.0
"""How long the LIB may stand still. With 21 producers it lags the head by 168 s, at an election by 265 s."""
LARGEST_TRANSACTION = 4 << 20
"""Maximum size of an uncompressed transaction, in bytes."""


@dataclass(frozen=True)
class Block:
    """The parts of a block that matter for pushes."""

    previous: str
    time: float
    """Unix seconds."""
    transactions: frozenset[str]
    """Ids of those that were executed."""


async def read_block(node: ChainReader, num_or_id: int | str) -> Block:
    """The block of that number or id. Raises UnknownBlock, NodeError."""
    try:
        answer = await node.get_raw_block(num_or_id)
    except UnknownEndpoint:
        answer = await node.get_block(num_or_id)
    return read_answer(f"block {num_or_id}", _block, answer)


def _block(value: dict[str, Any]) -> Block:
    receipts = value["transactions"]
    executed = frozenset(_transaction_id(entry["trx"]) for entry in receipts if entry["status"] in ("executed", 0))
    return Block(value["previous"], parse_time(value["timestamp"]).timestamp(), executed)


def _transaction_id(entry: Any) -> str:
    """Of a receipt's `trx`: an id (deferred), a packed transaction, or either behind its variant's index."""
    if isinstance(entry, list):
        entry = entry[1]
    if isinstance(entry, str):
        return entry
    if "id" in entry:
        return str(entry["id"])
    packed = bytes.fromhex(entry["packed_trx"])
    if entry["compression"] not in ("none", 0):
        packed = zlib.decompressobj().decompress(packed, LARGEST_TRANSACTION)
    return hashlib.sha256(packed).hexdigest()


class BlockFollower:
    """Follows a node's head, starting at the LIB of that moment, and tells which block holds a transaction."""

    def __init__(self, node: ChainReader, info: Info) -> None:
        """Use `following`."""
        self._node = node
        self.info = info
        self._floor = info.last_irreversible_block_num
        self._ids: dict[int, str] = {self._floor: info.last_irreversible_block_id}
        self._blocks: dict[int, Block] = {}
        self._older: dict[int, Block] = {}
        self._where: dict[str, int] = {}
        self.final_to = self._floor
        """The number of the last irreversible block that was read."""
        self._placed: dict[str, list[asyncio.Future[int]]] = {}
        self._final: dict[str, list[asyncio.Future[bool]]] = {}
        self._heard = self._head_moved = self._final_moved = time.monotonic()
        self._turn = asyncio.Event()
        self._trouble: NodeError | None = None
        self.pace = LOOK_SECONDS
        """Seconds between two looks."""

    async def find(self, transaction: str, first: int, expiration: float) -> int:
        """The block that holds the transaction, 0 when none does.

        first: the block to begin at; expiration: Unix seconds, when the search may end. Raises NodeError (UnknownBlock
        among them: the node's own blocks begin later).
        """
        for number in range(first, self._floor + 1):
            block = self._older.get(number)
            if block is None:
                block = self._older[number] = await read_block(self._node, number)
            if transaction in block.transactions:
                return number
            if block.time > expiration:
                return 0
        return self._where.get(transaction, 0)

    def where(self, transaction: str) -> int:
        """The block that holds the transaction, among those that were followed; 0 if none of them does."""
        return self._where.get(transaction, 0)

    async def final_time(self) -> float:
        """The time (Unix seconds) of the last irreversible block. Raises NodeError."""
        block = self._blocks.get(self.final_to)
        if block is None:
            block = self._older[self.final_to] = await read_block(self._node, self.final_to)
        return block.time

    async def placed(self, transaction: str, seconds: float) -> int:
        """The block that holds it; 0 if none does after this many seconds. Raises what `next_look` does."""
        if transaction in self._where:
            return self._where[transaction]
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = self._placed.setdefault(transaction, [])
        waiting.append(future)
        done, _ = await asyncio.wait([future], timeout=seconds)
        if done:
            return future.result()
        waiting.remove(future)
        self._check_heard()
        return 0

    async def final(self, transaction: str) -> bool:
        """Waits until its block is irreversible (True), or a fork has dropped it (False). Raises as `next_look`."""
        block = self._where.get(transaction)
        if block is None or block <= self.final_to:
            return block is not None
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._final.setdefault(transaction, []).append(future)
        while not (await asyncio.wait([future], timeout=ANSWER_SECONDS))[0]:
            self._check_heard()
        return future.result()

    async def next_look(self) -> None:
        """Waits for the next look at the head. Raises the node's error, DeadlineError, StalledError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._turn.wait()
        self._check_heard()

    def _check_heard(self) -> None:
        now = time.monotonic()
        if now - self._heard > ANSWER_SECONDS:
            raise self._trouble or DeadlineError("the node's next answer", ANSWER_SECONDS)
        if now - self._head_moved > HEAD_SECONDS:
            raise StalledError(f"no block came for {HEAD_SECONDS:g} s after {self.info.head_block_num}")
        if now - self._final_moved > FINAL_SECONDS:
            raise StalledError(
                f"no block became irreversible for {FINAL_SECONDS:g} s after {self.final_to}: two thirds of the"
                " producers and one more must be up"
            )

    async def follow(self) -> None:
        """Polls the head until it is cancelled."""
        while True:
            try:
                await self.look()
                self._trouble = None
                self._heard = time.monotonic()
            except NodeError as error:
                self._trouble = error
            turn, self._turn = self._turn, asyncio.Event()
            turn.set()
            await asyncio.sleep(self.pace)

    async def look(self) -> None:
        """Reads the new blocks. Raises NodeError; the next call continues from there."""
        info = await self._node.get_info()
        if self._ids.get(info.head_block_num) != info.head_block_id or info.head_block_num + 1 in self._ids:
            await self._take_branch(info)
            self._head_moved = time.monotonic()
        self.info = info
        self._settle(info.last_irreversible_block_num)

    async def _take_branch(self, info: Info) -> None:
        """Reads from the head back to a known block, then forgets the blocks of the abandoned branch."""
        number, block_id = info.head_block_num, info.head_block_id
        fresh: dict[int, tuple[str, Block]] = {}
        while number > self._floor and self._ids.get(number) != block_id:
            block = await read_block(self._node, block_id)
            fresh[number] = block_id, block
            number, block_id = number - 1, block.previous
        for stale in [known for known in self._blocks if known > number]:
            del self._ids[stale]
            for transaction in self._blocks.pop(stale).transactions:
                del self._where[transaction]
                _answer(self._final, transaction, False)
        for number, (block_id, block) in sorted(fresh.items()):
            self._ids[number] = block_id
            self._blocks[number] = block
            for transaction in block.transactions:
                self._where[transaction] = number
                _answer(self._placed, transaction, number)

    def _settle(self, lib: int) -> None:
        lib = min(lib, self.info.head_block_num)
        for number in range(self.final_to + 1, lib + 1):
            for transaction in self._blocks[number].transactions:
                _answer(self._final, transaction, True)
        if lib > self.final_to:
            self.final_to, self._final_moved = lib, time.monotonic()


@contextlib.asynccontextmanager
async def following(node: ChainReader) -> AsyncIterator[BlockFollower]:
    """A follower that polls by itself. Raises NodeError if the node does not answer at first."""
    follower = BlockFollower(node, await node.get_info())
    await follower.look()
    async with beside(logged(follower.follow, "following the blocks")):
        yield follower


def _answer(waiting: dict[str, list[asyncio.Future[Any]]], transaction: str, value: int | bool) -> None:
    for future in waiting.pop(transaction, ()):
        if not future.done():
            future.set_result(value)
