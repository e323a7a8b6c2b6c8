"""Transactions that belong to no step of the boot, pushed exactly once all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.blocks import following
from agent.pushes import Pushed, Pusher, PushError
from agent.records import PushRecords
from antelope.http import NodeClient
from antelope.keys import SigningKey
from boot.step import Finality, Push


@dataclass(frozen=True)
class Chore:
    """Stands in the place of a step for such transactions: it names their records, and says when they count."""

    name: str
    """The records of these transactions are kept under it, as the boot's are under a step's name."""
    finality: Finality = Finality.BLOCK
    parallel: bool = False


async def carry_out(
    node: NodeClient,
    records: PushRecords,
    chain_id: str,
    key_of: Callable[[str], SigningKey],
    chore: Chore,
    pushes: Sequence[Push],
    seen: int = 0,
) -> tuple[Pushed, ...]:
    """Pushes them all, each at most once, and returns where they are. seen: as of Pusher.

    Raises PushError, and what reading the node's blocks raises.
    """
    done: list[Pushed] = []
    async with following(node) as follower:
        if follower.info.chain_id != chain_id:
            raise PushError(f"{chore.name}: the node runs another chain ({follower.info.chain_id[:16]}…)")
        await Pusher(node, follower, records, key_of, done.append, seen).run(chore, pushes)
    return tuple(done)
