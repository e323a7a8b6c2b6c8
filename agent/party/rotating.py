"""Gives a party's producer another block-signing key, on the party's own host, without asking anybody.

As for the operator's producers (agent.rekeying): both keys, the registration, the schedule, the new key alone. The next
action follows from the present state, so the command can be repeated after it was interrupted anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.errors import ControlError, DutyError
from agent.keys.keosd import KeosdKey
from agent.nodes.supervisor import Nodes
from agent.party.account import OwnAccount
from agent.party.control import Say
from agent.pushes.pushing import Chore
from agent.rekeying import look, needed
from antelope import actions
from antelope.elections import ELECTION_SECONDS, SCHEDULE_ROUNDS, TURN_SECONDS
from antelope.errors import NodeError
from antelope.keys import PublicKey
from antelope.names import name_to_int
from boot.step import Push
from support.retry import DeadlineError, poll

BACK_SECONDS = 180.0
"""Seconds that the restarted node may take to reach the head again."""
LOOK_SECONDS = 0.2
"""Between two looks at who signed the head: less than a block."""


class Rotating:
    """One change of the key. A second one waits for the first."""

    _one_at_a_time = asyncio.Lock()

    def __init__(self, own: OwnAccount, nodes: Nodes, say: Say, changed: Callable[[], None]) -> None:
        """changed: is called when the chain knows another key, and when the old one is gone."""
        self._own = own
        self._nodes = nodes
        self._say = say
        self._changed = changed

    async def run(self, given: KeosdKey | None) -> PublicKey:
        """Changes the key, or finishes what was begun. given: the new key, where a keosd has it.

        Returns the producer's key. Raises ControlError, DutyError (the policy), KeyStoreError, PushError, NodeError,
        NodeFault, DeadlineError.
        """
        if self._one_at_a_time.locked():
            raise ControlError("the key is being changed")
        async with self._one_at_a_time:
            await self._own.synced()
            key = await self._next(given)
            if str(key) not in self._running:
                await self._restart()
            await self._register(key)
            await self._unneeded(key)
            await asyncio.to_thread(self._own.keep_signer, key)
            if self._running != (str(key),):
                await self._restart()
            self._changed()
            self._say(f"{self._own.name} signs with {key} now; the earlier key is removed from this host")
            return key

    @property
    def _running(self) -> tuple[str, ...]:
        """The keys that the node runs with."""
        return self._nodes.record(self._own.name).keys

    async def _next(self, given: KeosdKey | None) -> PublicKey:
        """The key that will be the only one."""
        own, held = self._own, self._own.signer_keys
        known = await own.registered_key()
        if known is None:
            raise ControlError(f"{own.name} is not registered as a producer with a key of this agent")
        stale = bool(self._running) and self._running != tuple(map(str, held))  # older agents did not record what runs
        if len(held) > 1 or stale:
            self._say(f"the change to {held[-1]}, which was begun before, continues")
            return held[-1]
        if len(await self._schedule()) == 1 and own.name in await self._schedule():
            raise ControlError(f"{own.name} is the only producer: the chain would stop with its node's restart")
        key = await asyncio.to_thread(own.succeed, given)
        self._say(f"the new block-signing key is {key}")
        return key

    async def _schedule(self) -> tuple[str, ...]:
        return (await self._own.node.get_producer_schedule()).active.names

    async def _restart(self) -> None:
        """Restarts the node right after its own turn, and waits until it is at the head again."""
        own, schedule = self._own, await self._schedule()
        if own.name in schedule:
            self._say("waits for the end of its own turn")
            seen = False

            async def ended() -> bool:
                nonlocal seen
                signer = (await own.node.get_info()).head_block_producer
                over = seen and signer != own.name
                seen = signer == own.name
                return over

            try:
                seconds = (len(schedule) + 2) * TURN_SECONDS
                await poll(ended, what="its turn", deadline=seconds, every=LOOK_SECONDS)
            except DeadlineError:
                self._say("its turn did not come; the node is restarted now")
        await self._nodes.restart(own.name)

        async def back() -> bool:
            try:
                return own.in_sync(await own.node.get_info())
            except NodeError:
                return False

        await poll(back, what="the node to be at the head again", deadline=BACK_SECONDS)
        self._say("the node is restarted, and at the head again")

    async def _register(self, key: PublicKey) -> None:
        own = self._own
        if await own.registered_key() == key:
            return
        row = await own.node.find_row("eosio", "eosio", "producers", name_to_int(own.name))
        if row is None:
            raise DutyError(f"{own.name} is not registered as a producer")
        action = actions.regproducer(own.name, key, str(row["url"]), int(row["location"]))
        push = Push(f"rotate {key}", (action,), own.name)
        (pushed,) = await own.sign(Chore("operator"), (push,), await own.node.get_info())
        self._say(f"regproducer is in block {pushed.block} (transaction {pushed.transaction})")
        self._changed()

        async def irreversible() -> bool:
            return (await own.node.get_info()).last_irreversible_block_num >= pushed.block

        seconds = SCHEDULE_ROUNDS * TURN_SECONDS * (len(await self._schedule()) + 1)
        await poll(irreversible, what=f"block {pushed.block} to be irreversible", deadline=seconds)

    async def _unneeded(self, key: PublicKey) -> None:
        """Waits until no schedule needs the other key. Raises ControlError."""
        why, seconds = "", ELECTION_SECONDS + SCHEDULE_ROUNDS * TURN_SECONDS * len(await self._schedule())

        async def settled() -> bool:
            nonlocal why
            found = needed(await look(self._own.node, self._own.name), self._own.name, key)
            if found and found != why:
                self._say(f"waits: {found}")
            why = found
            return not found

        try:
            await poll(settled, what="the schedule", deadline=seconds)
        except DeadlineError as error:
            raise ControlError(
                f"after {seconds:g} s, {why}; the old key stays: run the command again to continue"
            ) from error
