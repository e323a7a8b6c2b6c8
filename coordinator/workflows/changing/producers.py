"""Adds and retires the operator's own producers on a live network.

The inventory lists producers that join later under [[producers.later]]; a boot adds those that are missing. The next
step follows from the chain and the hosts, so both commands can be repeated after they were interrupted anywhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from antelope.elections import ELECTION_SECONDS, MAX_VOTED_PRODUCERS, SCHEDULE_ROUNDS, TURN_SECONDS
from boot.reads import rows, run_reads
from boot.step import NodeMode, Query
from coordinator.advising import typed
from coordinator.agents.proofs import check_proofs
from coordinator.engine.access import NodeAccess, TaskFailedError
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed
from coordinator.parties.chain_view import find_account, look
from coordinator.parties.open_network import OpenNetwork
from coordinator.parties.progress import AccountState, ChainView
from coordinator.reporter import Reporter
from coordinator.state.placements import Placements
from inventory.load import glance
from inventory.network import Network, Node
from inventory.planned import PlannedProducer
from protos import coordination_pb2 as pb
from support.possession import Challenge
from support.retry import DeadlineError, poll

from .rekeying import held_keys, register, unregister
from .rolling import at_head
from .telling import tell_peers

COLLECT_SECONDS = 120.0
PUSH_SECONDS = 300.0


def planned(network: Network, account: str) -> PlannedProducer | None:
    """The operator's producer of that name, of the boot or a later one."""
    everyone = (*network.producers, *network.later)
    return next((one for one in everyone if one.account == account and not one.party), None)


async def ensure_keys(opened: OpenNetwork) -> None:
    """Has the hosts of later producers make their first block-signing keys: a node does not start without one."""
    for producer in opened.network.later:
        if producer.node is None:
            continue
        host = opened.network.node(producer.node).host
        link = opened.hub.links.get(host)
        if link and link.connected and not await held_keys(opened, host, producer.account, b""):
            await held_keys(opened, host, producer.account, b"", make=True)


async def add_all(opened: OpenNetwork, work: NodeWork, reporter: Reporter) -> tuple[str, ...]:
    """Adds the inventory's later producers that are missing. Returns their accounts. Raises as `add`."""
    waiting = [one.account for one in opened.network.later if one.node]
    if not waiting:
        return ()
    chain = await look(opened.access, opened.state, opened.sealed)
    new = [account for account in waiting if not _settled(opened.network, chain, account)]
    for account in new:
        reporter.note(await add(opened, work, account, reporter))
    return tuple(new)


def _settled(network: Network, chain: ChainView, account: str) -> bool:
    """Whether it is registered, and voted for if the operator's voters should."""
    producer = planned(network, account)
    votes = producer is not None and producer.elected and network.parties.vote and chain.voted
    return account in chain.registered and (account in chain.voted or not votes)


async def add(opened: OpenNetwork, work: NodeWork, account: str, reporter: Reporter) -> str:
    """Makes one of the inventory's producers a producer of the chain. Returns the outcome as a line.

    Raises OperationFailed, NodeError, DeadlineError.
    """
    producer, node = check_addable(opened, account)
    Placements(opened.state.journal).remember(opened.network)
    await _account(opened, node, account, reporter)
    if not await held_keys(opened, node.host, account, b""):
        await held_keys(opened, node.host, account, b"", make=True)
    if not opened.access.running(node):
        reporter.note(f"{node.host}: {node.name} starts, and catches up")
        await work.start(node.name, NodeMode.NORMAL)
    await at_head(opened.access, node)
    challenge = secrets.token_bytes(32)
    key = (await held_keys(opened, node.host, account, challenge))[-1]
    await register(opened, node, key, challenge, reporter, producer.url, producer.location)
    await tell_peers(opened, opened.network, reporter)
    if not producer.elected:
        return f"{account} is registered, as a standby: it takes the place of a producer that is retired"
    return await _elect(opened, account, reporter)


def check_addable(opened: OpenNetwork, account: str) -> tuple[PlannedProducer, Node]:
    """The producer and its node. Raises OperationFailed while it cannot be added, before anything is changed."""
    producer = planned(opened.network, account)
    if producer is None or producer.node is None:
        raise OperationFailed(f"{account} has no node in the inventory")
    node, steps = opened.network.node(producer.node), opened.state.steps()
    if "resign" not in steps or not steps["resign"].done:
        raise OperationFailed(f"producers are added once eosio has resigned; run: {typed('boot')}")
    needed = dict.fromkeys((node.host, opened.network.genesis_node.host))
    away = [host for host in needed if host not in opened.hub.links or not opened.hub.links[host].connected]
    if away:
        raise OperationFailed(
            f"{account} cannot be added now: no agent answers on {', '.join(away)}; run: {typed('boot')}"
        )
    return producer, node


async def _account(opened: OpenNetwork, node: Node, account: str, reporter: Reporter) -> None:
    """Has its host make the account's key, and the sponsor create the account, if they are missing."""
    key = await _account_key(opened, node, account)
    match await find_account(opened.access, account, key):
        case AccountState.THERE:
            return
        case AccountState.FOREIGN:
            raise OperationFailed(f"account {account} exists with other keys than {key} of {node.host}: choose another")
        case AccountState.UNKNOWN:
            raise OperationFailed(f"no node tells whether account {account} exists")
    if opened.sealed.sponsor is None:
        raise OperationFailed(
            f"account {account} does not exist, and this network has no sponsor (parties.sponsor): create it with the "
            f"key {key} (cleos system newaccount), then give this command again"
        )
    reporter.note(f"{opened.sealed.sponsor.account} creates the account {account}")
    body = pb.Sponsor(account=account, public_key=key)
    result = await opened.access.link(opened.network.genesis_node.host).task(body, deadline=PUSH_SECONDS)
    if not result.ok:
        raise TaskFailedError(result.error, result.retryable)


async def _account_key(opened: OpenNetwork, node: Node, account: str) -> str:
    """The account's key, which its host makes if it has none."""
    challenge = Challenge(opened.network.name, "", secrets.token_bytes(32))
    body = pb.Collect(
        accounts=[account], nodeos=opened.network.host(node.host).nodeos,
        nonce=challenge.nonce, network=opened.network.name,
    )  # fmt: skip
    result = await opened.access.link(node.host).task(body, deadline=COLLECT_SECONDS)
    if not result.ok:
        raise TaskFailedError(f"{node.host}: {result.error}", result.retryable)
    check_proofs(challenge, node.host, result.collected.accounts)
    return str(result.collected.accounts[0].public_key)


async def _elect(opened: OpenNetwork, account: str, reporter: Reporter) -> str:
    """Has the operator's voters vote for it as well, and waits until it is in the schedule. Returns the outcome."""
    chain = await look(opened.access, opened.state, opened.sealed)
    if not opened.network.parties.vote or not opened.sealed.votes:
        return (
            f"{account} is registered. The inventory has no voters that vote for it: it is elected when others give it "
            "more votes than one of the 21 with the most has"
        )
    if account not in chain.voted:
        reporter.note(f"the network's voters vote for {account}, too")
        await _vote(opened, chain, (account,))
    try:
        await _scheduled(opened, account, there=True)
    except DeadlineError:
        return (
            f"{account} is registered and voted for, and not in the schedule: the contract takes the 21 with the most "
            f"votes ({typed('status')} shows the schedule)"
        )
    return f"{account} is in the active schedule, and signs blocks on {opened.network.holder(account)}"


async def _vote(opened: OpenNetwork, chain: ChainView, new: Iterable[str] = (), without: str = "") -> None:
    """Has the operator's voters vote for those that they vote for already, and for new ones."""
    standing = (name for name in opened.sealed.elected if name in chain.registered)
    names = dict.fromkeys((*standing, *sorted(chain.voted & chain.registered.keys()), *new))
    body = pb.Elect(producers=[name for name in names if name != without][:MAX_VOTED_PRODUCERS])
    result = await opened.access.link(opened.network.genesis_node.host).task(body, deadline=PUSH_SECONDS)
    if not result.ok:
        raise TaskFailedError(f"the votes: {result.error}", result.retryable)


async def _scheduled(opened: OpenNetwork, account: str, *, there: bool) -> None:
    """Waits until it is in the active schedule, or irreversibly in none. Raises DeadlineError."""
    schedule = await opened.access.ask(Query("/v1/chain/get_producer_schedule"))
    seconds = ELECTION_SECONDS + SCHEDULE_ROUNDS * TURN_SECONDS * (len(schedule["active"]["producers"]) + 1)

    async def so() -> bool:
        names, irreversible = await _schedules(opened.access)
        if there:
            return account in names["active"]
        return irreversible and not any(account in listed for listed in names.values())

    what = f"{account} to be {'in the schedule' if there else 'out of the schedule'}"
    await poll(so, what=what, deadline=seconds)


async def _schedules(access: NodeAccess) -> tuple[dict[str, frozenset[str]], bool]:
    """The producers in each schedule, and whether the active one signed the last irreversible block."""
    info = await access.ask(Query("/v1/chain/get_info"))
    last = {"block_num": info["last_irreversible_block_num"]}
    block = await access.ask(Query("/v1/chain/get_block_info", last))
    found: dict[str, Any] = await access.ask(Query("/v1/chain/get_producer_schedule"))
    names = {
        kind: frozenset(str(one["producer_name"]) for one in (found.get(kind) or {}).get("producers", ()))
        for kind in ("active", "pending", "proposed")
    }
    return names, int(block["schedule_version"]) >= int(found["active"]["version"])


async def retire(opened: OpenNetwork, work: NodeWork, account: str, reporter: Reporter) -> str:
    """Takes a producer out of the elections, and stops its node once it is out of the schedule. Its keys stay.

    Raises OperationFailed where the schedule cannot do without it, NodeError, DeadlineError.
    """
    producer = planned(opened.network, account)
    if producer is None or producer.node is None:
        return f"{account} is retired already"
    node = opened.network.node(producer.node)
    chain = await look(opened.access, opened.state, opened.sealed)
    names, _ = await _schedules(opened.access)
    there = any(account in listed for listed in names.values())
    instead = await _replacements(opened, chain, account, len(names["active"])) if there else ()
    if account in chain.registered:
        reporter.note(f"{account}: unregprod")
        await unregister(opened, node.host, account, reporter)
    if instead or account in chain.voted:
        reporter.note(f"the network's voters vote without {account}{', for ' if instead else ''}{', '.join(instead)}")
        await _vote(opened, await look(opened.access, opened.state, opened.sealed), instead, without=account)
    reporter.note(f"{account}: waits until no schedule has it, irreversibly")
    await _scheduled(opened, account, there=False)
    if opened.access.running(node):
        await work.stop(node.name)
    placements = Placements(opened.state.journal)
    placements.remember(opened.network)
    placements.retire(account)
    await tell_peers(opened, glance(opened.network.source, lambda _: placements.all()), reporter)
    return (
        f"{account} is retired: its node on {node.host} is stopped; its data and keys stay there. "
        f"{typed('producer', 'add', account)} brings it back"
    )


async def _replacements(opened: OpenNetwork, chain: ChainView, account: str, size: int) -> tuple[str, ...]:
    """The standbys that the voters must vote for when this one goes: the contract never shrinks a schedule.

    They are voted for only after it is unregistered: before, they would make the schedule larger instead. Raises
    OperationFailed if there are too few.
    """
    table = await run_reads(rows("eosio", "eosio", "producers"), opened.access.ask)
    active = [row for row in table if row["is_active"] and row["owner"] != account]
    others = [str(row["owner"]) for row in active if float(row["total_votes"]) > 0]
    lacking = size - len(others)
    if lacking <= 0:
        return ()
    own = [one for one in (*opened.network.producers, *opened.network.later) if one.node and not one.party]
    running = [one.account for one in own if opened.access.running(opened.network.node(str(one.node)))]
    standbys = [str(row["owner"]) for row in active if row["owner"] in running and row["owner"] not in others]
    if len(standbys) < lacking or not opened.network.parties.vote or not chain.voted:
        first = typed("producer", "add", "ACCOUNT", "--standby")
        raise OperationFailed(
            f"{account} cannot be spared: the contract never shrinks a schedule, this one has {size}, and "
            f"{len(others)} others are voted for. Add a standby first: {first}"
        )
    return tuple(standbys[:lacking])
