"""Reads the blocks of the birth, in order, a bounded number ahead.

The system contract keeps a resources row (userres) for every account created after it. An account from before would
escape the enumeration by these rows, with unlimited RAM, CPU and NET, so such accounts are collected here. Accounts
that a contract's inline action created are not in blocks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from antelope.errors import FormatError
from boot.audit.birth import Birth
from boot.audit.chain import Chain
from boot.audit.packed import Receipt, receipts
from boot.blueprint import Blueprint
from boot.errors import AuditError

AHEAD = 6
"""Blocks that are fetched ahead. A large one takes about 10 MB while it is decoded."""


@dataclass(frozen=True)
class Early:
    """Accounts from before the system contract."""

    accounts: frozenset[str]
    block: int | None
    """The block that set the system contract; None if not found, so that accounts may be missing here."""
    reason: str = ""
    """Why it was not found."""


@dataclass(frozen=True)
class Blocks:
    """What the chain's blocks show, up to eosio's resignation or to the head."""

    birth: Birth
    unread: str = ""
    """Why they could not be read to the end; empty if they were."""

    @property
    def early(self) -> Early:
        """The accounts that the enumeration by resources would miss."""
        found = self.birth
        reason = self.unread or f"no block up to {found.last} set the planned system contract"
        return Early(frozenset(found.early), found.system_block, "" if found.system_block else reason)


async def read_blocks(chain: Chain, blueprint: Blueprint, head: int) -> Blocks:
    """Reads blocks from the second on, until the one in which eosio resigned. Raises AuditError."""
    birth = Birth(blueprint)
    coming: deque[asyncio.Task[list[Receipt] | None]] = deque()
    following = 2
    try:
        for number in range(2, head + 1):
            while following <= min(head, number + AHEAD):
                coming.append(asyncio.ensure_future(_receipts(chain, following)))
                following += 1
            found = await coming.popleft()
            if found is None:
                return Blocks(birth, f"the node has no block {number}: ask one that has them all")
            _take(birth, number, found)
            if birth.block is not None:
                break
        return Blocks(birth)
    finally:
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)


async def _receipts(chain: Chain, number: int) -> list[Receipt] | None:
    block = await chain.block(number)
    if block is None:
        return None
    try:
        return list(receipts(block))
    except (KeyError, TypeError, ValueError, FormatError) as error:
        raise _unreadable(number, error) from error


def _take(birth: Birth, number: int, found: list[Receipt]) -> None:
    try:
        birth.take(number, found)
    except (FormatError, IndexError) as error:
        raise _unreadable(number, error) from error


def _unreadable(number: int, error: Exception) -> AuditError:
    return AuditError(f"block {number} could not be read, so nothing was judged: {error}")
