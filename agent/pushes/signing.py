"""Signs transactions as late as possible, and writes them down before they are sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from agent.errors import PushError
from agent.pushes.blocks import BlockFollower
from agent.pushes.records import PushRecords, Record
from antelope.answers import Info
from antelope.keys import PublicKey, SigningKey
from antelope.transaction import SignedTransaction, Transaction, sign_packed
from boot.step import Finality, Push

LIFETIME = 60
"""Seconds from signing to expiration."""


class StepLike(Protocol):
    """What the pusher needs to know of a step or a chore."""

    @property
    def name(self) -> str:
        """The name under which its records are kept."""

    @property
    def finality(self) -> Finality:
        """When a transaction counts."""

    @property
    def parallel(self) -> bool:
        """Whether its transactions do not depend on each other."""


class Signer:
    """Signs the transactions of one chain with this host's keys."""

    def __init__(self, follower: BlockFollower, records: PushRecords, key_of: Callable[[str], SigningKey]) -> None:
        """key_of: an account's key; raises KeyError when there is none."""
        self._follower = follower
        self._records = records
        self._key_of = key_of

    async def sign(self, step: StepLike, pushes: Sequence[Push]) -> list[tuple[Record, SignedTransaction]]:
        """Signs these and writes them down together. Raises PushError if a key is missing; then none is signed."""
        info = self._follower.info
        signers = {push.actors: push for push in reversed(pushes)}  # the error for a missing key names the first push
        keys = {actors: self._keys(step, push) for actors, push in signers.items()}
        made = await asyncio.to_thread(_sign, info, pushes, keys)
        fresh = [
            (Record(step.name, push.key, signed.id, expiration, info.last_irreversible_block_num + 1), signed)
            for push, (signed, expiration) in zip(pushes, made, strict=True)
        ]
        self._records.add(fresh)
        return fresh

    def _keys(self, step: StepLike, push: Push) -> list[SigningKey]:
        keys: dict[PublicKey, SigningKey] = {}
        for actor in push.actors:
            try:
                key = self._key_of(actor)
            except KeyError as error:
                raise PushError(f"{step.name} {push.key}: this host has no key of {actor}") from error
            keys[key.public] = key
        return list(keys.values())


def _sign(
    info: Info, pushes: Sequence[Push], keys: Mapping[tuple[str, ...], Sequence[SigningKey]]
) -> list[tuple[SignedTransaction, int]]:
    """Each transaction, and its expiration in Unix seconds."""
    expiration = int(max(info.head_block_time.timestamp(), time.time())) + LIFETIME
    header = Transaction(expiration, *Transaction.tapos_from(info.last_irreversible_block_id), actions=())
    return [
        (sign_packed(header.packed_with(push.packed), info.chain_id, keys[push.actors]), expiration) for push in pushes
    ]
