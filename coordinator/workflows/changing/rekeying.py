"""Gives a producer another block-signing key, without a block missed: by `coord keys rotate`, or on another host.

The next step follows from the facts: the keys that the host has, those that the node runs with, and the one that the
chain knows. So the command can be repeated after it was interrupted anywhere.

1. The host's agent makes the key. It stays there.
2. The node is restarted with both keys, right after its own turn. nodeos signs with the one that the schedule names.
3. The agent that has the account's key registers the new one (regproducer), once.
4. The next schedules have it. Once the old key is irreversibly out of use, the host's agent removes it.
5. The node is restarted without it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from antelope.elections import ELECTION_SECONDS, SCHEDULE_ROUNDS, TURN_SECONDS
from boot.reads import row, run_reads
from boot.step import Query
from coordinator.advising import typed
from coordinator.agents.link import LinkError
from coordinator.engine.access import TaskFailedError
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from inventory.network import GENESIS_ACCOUNT, Node
from protos import coordination_pb2 as pb
from support.retry import DeadlineError, retrying

from .pushing import pushing, takes
from .rolling import restart

REGISTER_SECONDS = 300.0
KEY_SECONDS = 30.0
LOOK_SECONDS = 2.0
"""Seconds between two checks whether the old key is still needed."""


class _StillNeeded(OperationFailed):
    """A schedule needs the old key."""


@dataclass(frozen=True)
class Signing:
    """A producer's block-signing keys (EOS…), wherever they are known."""

    held: tuple[str, ...]
    """The keys that its host has: the current one, then its successor."""
    running: tuple[str, ...]
    """The keys that its node runs with."""
    registered: str
    """The key that the chain knows; empty if it is not registered as a producer."""

    @property
    def begun(self) -> bool:
        """Whether a change of the key is in progress. It is then finished, and no other one begins."""
        if not self.held:
            return False
        stale = bool(self.running) and self.running != self.held  # older agents do not report what runs
        return len(self.held) > 1 or stale or self.registered != self.held[-1]


async def rekey(
    opened: OpenNetwork, work: NodeWork, node: Node, reporter: Reporter, wake: Callable[[], Awaitable[object]]
) -> str:
    """Gives the node's producer another key, or finishes what was begun. Returns the new key.

    wake: restarts a stalled chain, as a chain with one producer is after its restart. Raises OperationFailed,
    NodeError, DeadlineError.
    """
    account = check_rekeyable(node)
    if not opened.access.running(node):
        raise OperationFailed(f"{node.name} does not run; run: {typed('node', 'start', node.name)}")
    keys = await signing(opened, node)
    if not keys.registered:
        raise OperationFailed(f"{account} is not registered as a producer: there is no key to change")
    if keys.begun:
        reporter.note(f"{account}: the change to {keys.held[-1]}, which was begun before, continues")
    challenge = secrets.token_bytes(32)
    new = (await held_keys(opened, node.host, account, challenge, make=not keys.begun))[-1]
    if new.public_key not in keys.running:
        reporter.note(f"{node.host}: {account} gets the block-signing key {new.public_key}")
        await restart(opened.access, work, node, reporter, wake)
    await register(opened, node, new, challenge, reporter)
    await settle(opened, node.host, account, new.public_key, reporter)
    if opened.access.status(node) and (await signing(opened, node)).running != (new.public_key,):
        await restart(opened.access, work, node, reporter, wake)
    return new.public_key


def check_rekeyable(node: Node) -> str:
    """The account whose key the node signs with. Raises OperationFailed where its key is not for a coordinator to
    change.
    """
    if node.party:
        raise OperationFailed(f"{node.account} is a party's: its own operator changes its key (agent rotate)")
    if node.account is None:
        raise OperationFailed(f"{node.name} signs no blocks: it has no key")
    if node.account == GENESIS_ACCOUNT:
        raise OperationFailed("eosio's key is in the genesis block, and cannot change")
    return node.account


async def signing(opened: OpenNetwork, node: Node) -> Signing:
    """What is known of the keys of a node's producer. Raises OperationFailed, NodeError, DeadlineError."""
    account, status = str(node.account), opened.access.status(node)
    held = await held_keys(opened, node.host, account, b"")
    running = tuple(status.keys) if status else ()
    return Signing(tuple(key.public_key for key in held), running, await registered_key(opened, account))


async def held_keys(
    opened: OpenNetwork, host: str, account: str, nonce: bytes, *, make: bool = False
) -> tuple[pb.Key, ...]:
    """The account's block-signing keys on that host, the current one first, then its successor, each with a proof.

    make: its successor, or an account's first key, is made where it is missing.
    """
    body = pb.Rekey(account=account, make=make, nonce=nonce)
    result = await opened.access.link(host).task(body, deadline=KEY_SECONDS)
    if not result.ok:
        raise TaskFailedError(f"{host}: {result.error}", result.retryable)
    return tuple(result.collected.signers)


async def account_key_on(opened: OpenNetwork, account: str, hosts: Iterable[str]) -> str:
    """The first of these hosts that has the account's own key; empty if none has, as far as their agents answer."""
    for host in hosts:
        with suppress(LinkError, DeadlineError):
            result = await opened.access.link(host).task(pb.Rekey(account=account), deadline=KEY_SECONDS)
            if result.ok and result.collected.accounts:
                return host
    return ""


async def registered_key(opened: OpenNetwork, account: str) -> str:
    """The key that the chain knows of a producer; empty if it is not registered. Raises NodeError."""
    found = await run_reads(row("eosio", "eosio", "producers", account), opened.access.ask)
    return str(found["producer_key"]) if found and found["is_active"] else ""


async def register(
    opened: OpenNetwork, node: Node, key: pb.Key, nonce: bytes, reporter: Reporter, url: str = "", location: int = 0
) -> None:
    """Has the agent that holds the account's key register the block-signing key, once. Returns when that is
    irreversible.

    key: with its proof over the nonce. Raises OperationFailed if no connected agent has the account's key.
    """
    if await registered_key(opened, key.account) == key.public_key:
        return
    body = pb.Register(key=key, nonce=nonce, url=url, location=location)
    reporter.note(f"{key.account}: regproducer with {key.public_key}")
    by_hand = f"regproducer {key.account} {key.public_key} URL LOCATION"
    await _by_its_key(opened, node.host, key.account, body, by_hand, reporter)


async def unregister(opened: OpenNetwork, host: str, account: str, reporter: Reporter) -> None:
    """Has the agent that holds the account's key take it out of the elections. Raises as `register`."""
    await _by_its_key(opened, host, account, pb.Unregister(account=account), f"unregprod {account}", reporter)


async def _by_its_key(
    opened: OpenNetwork, first: str, account: str, body: pb.Register | pb.Unregister, by_hand: str, reporter: Reporter
) -> None:
    """Asks one agent after the other, that of the first host first, until one has the account's key."""
    for host in _hosts(opened, first):
        result = await opened.access.link(host).task(body, deadline=REGISTER_SECONDS)
        if not result.ok and not takes(opened, host) and host in {one.name for one in opened.network.hosts}:
            async with pushing(opened, host, reporter.note):  # it has the key, and no node to push through
                result = await opened.access.link(host).task(body, deadline=REGISTER_SECONDS)
        if not result.ok:
            raise TaskFailedError(f"{host}: {result.error}", result.retryable)
        if not result.absent:
            return
    raise OperationFailed(
        f"no connected host has the key of account {account}: its holder must sign (cleos system {by_hand}); "
        "then give this command again"
    )


def _hosts(opened: OpenNetwork, first: str) -> Iterable[str]:
    parties = {party.name for party in opened.parties.parties()}
    links = opened.hub.links.items()
    others = (name for name, link in links if link.connected and not link.revoked and name not in parties)
    return dict.fromkeys((first, *others))


async def settle(opened: OpenNetwork, host: str, account: str, key: str, reporter: Reporter) -> None:
    """Waits until no schedule needs another key of this producer than this one, irreversibly; then that host's
    other keys are removed. key empty: the producer is unregistered, and needs none.

    Raises OperationFailed, DeadlineError.
    """
    schedule = await opened.access.ask(Query("/v1/chain/get_producer_schedule"))
    seconds = ELECTION_SECONDS + SCHEDULE_ROUNDS * TURN_SECONDS * len(schedule["active"]["producers"])
    why = ""

    async def settled() -> None:
        nonlocal why
        body = pb.Settle(account=account, public_key=key)
        try:
            result = await opened.access.link(host).task(body, deadline=KEY_SECONDS)
        except DeadlineError as slow:  # a busy machine; the whole wait has its own deadline
            why = str(slow)
            raise _StillNeeded(f"{host}: {why}") from slow
        if result.ok:
            return
        if result.retryable and result.error != why:
            reporter.note(f"{account}: waits: {result.error}")
        why = result.error
        raise _StillNeeded(f"{host}: {why}") if result.retryable else TaskFailedError(f"{host}: {why}", False)

    try:
        await retrying(settled, on=_StillNeeded, deadline=seconds, most=LOOK_SECONDS)
    except _StillNeeded:
        raise OperationFailed(
            f"{account}: after {seconds:g} s, {why}; the old key stays on {host}. Run the command again to continue"
        ) from None
