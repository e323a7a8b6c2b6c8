"""What is wrong with a network now and needs a person's attention. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from antelope.elections import BLOCKS_PER_TURN
from coordinator.advising import typed
from coordinator.engine.pausing import paused_line
from coordinator.report.status import CONNECTED, UNKNOWN, NetworkStatus
from protos.states import NodeState

GENESIS_STEP, OTHERS_STEP = "genesis", "producer-nodes"
"""The steps that start the genesis node and the other nodes."""
FINAL_ROUNDS = 3
"""Rounds of the schedule within which a block becomes irreversible: two while two thirds sign, plus one to spare."""
BEHIND_BLOCKS = 2 * BLOCKS_PER_TURN
"""How many blocks a node may be behind LIB: its report is up to two seconds old, and the audit node's head is LIB."""

COPY = (
    "two machines dial in with its certificate, in turn: one is a copy of the other, and both have its keys; stop one, "
    "and remove its disk"
)
PUT_BACK = (
    "its nodes run until they are started again, and then sign nothing: put the file back now, from a backup "
    "(docs/backup.md, A host's lost keys)"
)


def lost(line: str) -> str:
    """What an agent reported of its lost keys, with what to do."""
    return f"{line}; {PUT_BACK}"


def silent(status: NetworkStatus) -> str:
    """The producers that make no blocks, in words. Those that were paused are named as such."""
    nodes = {row.account: row.name for row in status.nodes}
    return ", ".join(
        f"{account} (paused: {typed('node', 'resume', nodes[account])})" if account in status.paused else account
        for account in status.silent
    )


def problems(status: NetworkStatus) -> tuple[str, ...]:
    """Everything that is wrong, one line each; empty if the network is healthy."""
    if status.chain_id is None:
        return (f"{status.network} was never booted: there is no chain",)
    return (*_of_chain(status), *_of_hosts(status), *_of_nodes(status), *_of_signers(status))


def _of_chain(status: NetworkStatus) -> Iterator[str]:
    if status.head_age is None:
        yield "the chain cannot be read: no node answers"
        return
    if status.stands:
        who = f"; {', '.join(status.schedule)} should sign" if status.schedule else ""
        yield f"the chain has stalled: its latest block, {status.head}, is {status.head_age:.0f} s old{who}"
    elif status.silent:
        yield f"elected, but no block in the latest round: {silent(status)}"
    behind = status.head - status.lib
    if behind > FINAL_ROUNDS * BLOCKS_PER_TURN * max(1, len(status.schedule)):
        yield f"blocks do not become irreversible: LIB {status.lib} is {behind} blocks behind the head"


def _of_hosts(status: NetworkStatus) -> Iterator[str]:
    for host in status.hosts:
        if host.contested:
            yield f"host {host.name}: {COPY}"
        elif host.agent != CONNECTED:
            yield f"host {host.name}: its agent is {host.agent}"
        yield from (f"host {host.name}: {lost(line)}" for line in host.lost_keys)


def _of_nodes(status: NetworkStatus) -> Iterator[str]:
    away = {host.name for host in status.hosts if host.agent != CONNECTED}
    begun = GENESIS_STEP in status.steps, OTHERS_STEP in status.steps and status.steps[OTHERS_STEP].done
    for node in status.nodes:
        if node.state == NodeState.STOPPED and not begun[node.role != "genesis"]:
            continue  # the boot has not reached it yet
        if node.state != NodeState.RUNNING:
            if node.host not in away or node.state != UNKNOWN:
                yield f"node {node.name} on {node.host}: {node.state}{': ' + node.detail if node.detail else ''}"
        elif node.host not in away and status.lib - node.head > BEHIND_BLOCKS:
            yield f"node {node.name} on {node.host}: {status.lib - node.head} blocks behind LIB"


def _of_signers(status: NetworkStatus) -> Iterator[str]:
    """Two nodes that sign for one producer, and producers' nodes that must not sign."""
    for node in status.nodes:
        if node.account in status.paused and node.account not in status.silent:
            yield paused_line(node.name)
        if node.withheld:
            yield f"node {node.name} on {node.host} signs nothing: {node.withheld}"
        if node.doubles:
            more = f" (and {len(node.doubles) - 1} more)" if len(node.doubles) > 1 else ""
            yield f"node {node.name} on {node.host} has seen two signers: {node.doubles[-1]}{more}"
