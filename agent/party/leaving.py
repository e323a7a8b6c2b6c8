"""Unregisters a party's producer before its node stops."""

from __future__ import annotations

from agent.errors import DutyError, UnknownNode
from agent.party.account import OwnAccount
from agent.party.control import Say
from agent.pushes.pushing import Chore
from antelope import actions
from antelope.elections import TURN_SECONDS
from antelope.names import name_to_int
from boot.step import Push
from support.retry import DeadlineError, poll

ELECTION_SECONDS = 75.0
"""The system contract looks once a minute."""


async def unregister(own: OwnAccount, say: Say) -> None:
    """Sends unregprod, if the policy allows, and waits until the producer is out of the schedule.

    Does nothing if the node never ran. Raises DutyError, PushError, NodeError.
    """
    try:
        node = own.node
    except UnknownNode:
        return
    account = own.name
    row = await node.find_row("eosio", "eosio", "producers", name_to_int(account))
    if row is None or not row["is_active"]:
        say(f"{account} is not registered as a producer")
    else:
        info = await node.get_info()
        if not own.in_sync(info):
            raise DutyError(f"{account}'s node is not in sync, or the chain has stalled: cannot unregister")
        push = Push(account, (actions.unregprod(account),), account)
        (pushed,) = await own.sign(Chore("leave"), (push,), info)
        say(f"unregprod is in block {pushed.block} (transaction {pushed.transaction})")

    async def out() -> bool:
        return account not in (await node.get_producer_schedule()).active.names

    if await out():
        return
    scheduled = len((await node.get_producer_schedule()).active.names)
    say("waiting until the next schedule is active without it")
    try:
        await poll(out, what="the schedule", deadline=ELECTION_SECONDS + 4 * TURN_SECONDS * scheduled)
    except DeadlineError:
        say("it stays in the schedule, because no other producer can take its place; its turns will be missed")
