"""`coord host INVENTORY replace HOST`: another machine takes the place of a dead one, with its keys from a backup."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boot.reads import few
from boot.step import NodeMode
from boot.steps.retire import STEP as RETIRE
from coordinator.advising import typed
from coordinator.engine.boot_log import BootLog
from coordinator.engine.lost_nodes import LostNodes
from coordinator.engine.node_work import NodeWork
from coordinator.errors import OperationFailed, UsageProblem
from coordinator.hosts.deploy.errors import DeployError
from coordinator.hosts.fleet import Hosts, deployment
from coordinator.hosts.keys import restore_keys
from coordinator.parties.open_network import OpenNetwork
from coordinator.reporter import Reporter
from coordinator.state.leases import Leases
from inventory.network import GENESIS_ACCOUNT, Host, Network, Node
from protos import coordination_pb2 as pb
from support.identity import TlsError
from support.retry import poll
from support.tls import fingerprint, load_certificate

from .changing.catching_up import catch_up
from .changing.rekeying import held_keys, register, registered_key
from .changing.telling import left_to_do, tell_peers
from .opening.session import DIAL_SECONDS, open_network
from .recovering.host_keys import Source
from .serving.serve import serving
from .starting.holding import hold

DIAL_AGAIN_SECONDS = 6.0
"""Seconds within which a living agent of the old machine dials in: it does so every two seconds."""

SYNC_SECONDS = 600.0
LEVEL = 4
"""Blocks that the new machine's node may be behind the others and still count as being at the head."""
NONCE = secrets.token_bytes(32)
"""For proofs that a host holds a key."""


@dataclass(frozen=True)
class Replacement:
    """What a replacement did."""

    host: str
    accounts: tuple[str, ...]
    """The accounts whose keys are on the new machine."""
    started: tuple[str, ...]
    """The nodes that run there."""
    lost: tuple[str, ...]
    """What is lost and who can do what about it, a line each."""
    left: tuple[str, ...]
    """What still differs from the inventory, a line each: the next boot applies it."""


async def replace(
    network: Network, root: Path, name: str, source: Source, reporter: Reporter, *, without_keys: bool = False
) -> Replacement:
    """Replaces the host. Raises UsageProblem (nothing was changed), OperationFailed and others."""
    host = next((host for host in network.hosts if host.name == name), None)
    if host is None:
        raise UsageProblem(f"{network.source}: there is no host {name!r}; {typed('status')} lists them")
    keys = source.keys(name)
    producers = [node for node in _nodes(network, host) if node.account]
    if producers and not keys and not without_keys:
        accounts = ", ".join(str(node.account) for node in producers)
        raise UsageProblem(
            f"{name} had the keys of {accounts}: name the backup that has them (--backup FILE --identity FILE), or "
            "give them up (--without-keys)"
        )
    who = f"host replace {name}"
    async with open_network(network, root, acting=True, aside=who) as opened:
        _check_handed_over(opened, host)
        numbers, begun = opened.hub.records.numbers, f"replacing {name}"
        if not numbers[begun]:
            await _gone(opened, host, reporter)
            await _check_other_machine(opened, host)
            opened.hub.register.replace(name)
            for node in producers:
                if node.account != GENESIS_ACCOUNT:
                    Leases(opened.state.journal).move(str(node.account), name)
            numbers[begun] = 1  # an agent that dials in under this name is now the new machine's
        async with serving(opened, reporter.note):
            hosts = await _installed(opened, name, reporter)
            with hosts.reached():
                done = await _settle(opened, host, keys, producers, reporter)
                numbers[begun] = 0
                return done


async def _installed(opened: OpenNetwork, name: str, reporter: Reporter) -> Hosts:
    """The network's hosts, with an agent on the new machine. Raises OperationFailed."""
    network = opened.network
    hosts = Hosts(network, opened.state, opened.hub, reporter)
    if trouble := (await hosts.check()) & {name}:
        raise OperationFailed(f"{', '.join(trouble)}: {hosts.troubled[name]}")
    others = frozenset(other.name for other in network.hosts if other.name != name)
    if await hosts.install(others):
        raise OperationFailed(f"{name}: {hosts.troubled[name]}; run this again")
    return hosts


async def _settle(
    opened: OpenNetwork,
    host: Host,
    keys: bytes,
    producers: Sequence[Node],
    reporter: Reporter,
) -> Replacement:
    network = opened.network
    names = tuple(dict.fromkeys(node.host for node in network.nodes if not node.party))
    away = await opened.connected(names, DIAL_SECONDS)
    if host.name in away:
        raise OperationFailed(f"{host.name}: {away[host.name]}; run this again")
    accounts: tuple[str, ...] = ()
    if keys:
        ssh = None if host.local else deployment(opened.state, network, lambda _host, _text: None)
        accounts = await asyncio.to_thread(restore_keys, opened.state, host, keys, ssh)
        reporter.note(f"{host.name}: keys of {few(accounts)} are there again")
    await hold(opened, opened.sealed, reporter)
    signers = [node for node in producers if node.account != GENESIS_ACCOUNT]
    made = {str(node.account): await _signing_key(opened, node, reporter) for node in signers}
    work = NodeWork(opened.access, LostNodes(opened.access, opened.sealed), BootLog(opened.state.boot_log))
    started = []
    for node in _nodes(network, host):
        retired = node.name == network.genesis_node.name
        await work.start(node.name, NodeMode.AUDIT if retired else NodeMode.NORMAL)
        started.append(node.name)
        more = "; it signs when it has seen for two rounds that nobody else does" if node in signers else ""
        reporter.note(f"{host.name}: {node.name} runs{more}")
    lost = [_users_lost(host.name)] if host.name == network.genesis_node.host and not keys else []
    for node in signers:
        lost += await _registered(opened, node, made[str(node.account)], reporter)
    await tell_peers(opened, network, reporter)
    await catch_up(opened.access, reporter)
    return Replacement(host.name, accounts, tuple(started), tuple(lost), await left_to_do(opened))


async def _signing_key(opened: OpenNetwork, node: Node, reporter: Reporter) -> pb.Key:
    """The producer's block-signing key on the new machine: from the backup, or a new one. With a proof."""
    account = str(node.account)
    held = await held_keys(opened, node.host, account, NONCE)
    if held:
        return held[-1]
    (key,) = await held_keys(opened, node.host, account, NONCE, make=True)
    reporter.note(f"{node.host}: {account} gets a new block-signing key: {key.public_key}")
    return key


async def _registered(opened: OpenNetwork, node: Node, key: pb.Key, reporter: Reporter) -> list[str]:
    """Has the key registered if the chain knows another one; if nobody here can, what the account's owner must do."""
    if await registered_key(opened, key.account) == key.public_key:
        return []
    await _level(opened, node)
    try:
        await register(opened, node, key, NONCE, reporter)
    except OperationFailed as error:
        why = str(error).partition("; then")[0]
        line = (
            f"{key.account}: its block-signing key is lost. {node.host} has made another one, and its node runs, but "
            f"signs only when that is registered: {why}. If the account's key is lost as well, its owner key makes a "
            f"new one (cleos set account permission {key.account} active NEWKEY owner); without that, the producers "
            "can, by eosio.msig (eosio::updateauth)"
        )
        return [line]
    return []


async def _level(opened: OpenNetwork, node: Node) -> None:
    """Waits until the node has fetched the chain. Raises DeadlineError."""

    async def level() -> bool:
        statuses = {other.name: opened.access.status(other) for other in opened.network.nodes}
        own = statuses.pop(node.name)
        return own is not None and own.head + LEVEL >= max((one.head for one in statuses.values() if one), default=0)

    await poll(level, what=f"{node.name} to fetch the chain", deadline=SYNC_SECONDS)


def _check_handed_over(opened: OpenNetwork, host: Host) -> None:
    """Raises OperationFailed while eosio signs from this host: the chain is only there."""
    _ = opened.sealed  # raises before the seal
    retired = opened.state.steps().get(RETIRE.name)
    if host.name == opened.network.genesis_node.host and not (retired and retired.done):
        raise OperationFailed(
            f"{host.name} has the genesis node, which signs until the producers do: put that machine's data back"
        )


def _nodes(network: Network, host: Host) -> list[Node]:
    return [node for node in network.nodes if node.host == host.name and not node.party]


async def _gone(opened: OpenNetwork, host: Host, reporter: Reporter) -> None:
    """Raises OperationFailed if the host's agent dials in: its machine is alive."""
    name = host.name
    if opened.hub.register.find(name) is None:
        raise OperationFailed(f"{name} was never enrolled: {typed('boot')} installs it")
    reporter.note(f"{name}: listening whether the old machine is alive")
    if not await opened.connected([name], DIAL_AGAIN_SECONDS):
        raise OperationFailed(
            f"the agent of {name} is connected: its machine is alive. Nothing was changed; to have another one in its "
            f"place, stop it first: {typed('down', '--only', name)}"
        )


async def _check_other_machine(opened: OpenNetwork, host: Host) -> None:
    """Raises UsageProblem if the inventory still has the old machine's address."""
    if host.local:
        return
    ssh = deployment(opened.state, opened.network, lambda _host, _text: None)
    try:
        held = await asyncio.to_thread(ssh.certificate, host)
        shown = fingerprint(load_certificate(held.encode()))
    except TlsError:
        return  # bootcoord left nothing there
    except DeployError as error:
        raise OperationFailed(
            f"{host.name}: the new machine cannot be reached: {error}; nothing was changed"
        ) from error
    known = opened.hub.register.find(host.name)
    if known is not None and shown in (known.fingerprint, known.successor):
        address = host.ssh.address if host.ssh else ""
        raise UsageProblem(
            f"{opened.network.source}: {address} is still the old machine of {host.name}: write the new one's address"
        )


def _users_lost(host: str) -> str:
    return (
        f"{host} had the keys of users that were drawn, and those of eosio, which has resigned: what these users own "
        "cannot be moved, unless accounts.json was copied elsewhere"
    )
