"""Decides which nodes without a chain start from a snapshot, and which sync from their peers' blocks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from boot import joining
from inventory.network import Network, Node, Role, SnapshotRule, UserSource


@dataclass(frozen=True)
class Chosen:
    """How nodes begin, and why."""

    with_snapshot: tuple[str, ...]
    reason: str
    """One line; empty if there was nothing to choose."""


@dataclass(frozen=True)
class Seconds:
    """Estimated seconds until all nodes have started."""

    sync: float
    snapshot: float


def cost(network: Network, fresh: Sequence[Node], rows: int, blocks: int) -> Seconds:
    """The cost of both. rows: accounts of the allocation. blocks: of the chain. Nodes of one host share its cores."""
    most = max(Counter(node.host for node in fresh).values(), default=0)
    far = any(not network.host(node.host).local for node in fresh)
    fetch = joining.fetch_seconds(joining.size_of(rows)) if far else 0.0
    once = joining.take_seconds(rows) + fetch
    return Seconds(most * joining.sync_seconds(rows, blocks), once + most * joining.begin_seconds(rows))


def choose(network: Network, fresh: Sequence[Node], rows: int, blocks: int, whole: Collection[str]) -> Chosen:
    """fresh: the nodes that begin now. whole: other nodes that have every block of the chain."""
    if not fresh:
        return Chosen((), "")
    never = [node for node in fresh if node.snapshot is SnapshotRule.NEVER]
    always = [node for node in fresh if node.snapshot is SnapshotRule.ALWAYS]
    auto = [node for node in fresh if node.snapshot is SnapshotRule.AUTO]
    seconds = cost(network, auto, rows, blocks)
    quicker = joining.quicker(seconds.sync, seconds.snapshot)
    kept = _keeper(network, auto, whole) if quicker and len(whole) + len(never) < 2 else None
    chosen = always + [node for node in auto if quicker and node is not kept]
    names = tuple(node.name for node in chosen)
    return Chosen(names, _reason(len(fresh), len(auto), names, quicker, seconds, kept))


def foresee(network: Network, started: Collection[str] | None = None) -> Chosen:
    """Predicts a boot's choice from the number of accounts. started: nodes that it starts; None: all of them."""
    own = [node for node in network.nodes if node.role is not Role.GENESIS and not node.party]
    fresh = [node for node in own if started is None or node.name in started]
    rows = 0 if network.users.source is UserSource.ACCOUNTS_JSON else network.users.number
    others = {node.name for node in own} - {node.name for node in fresh}
    return choose(network, fresh, rows + len(network.producers), 0, [network.genesis_node.name, *sorted(others)])


def _keeper(network: Network, auto: Sequence[Node], whole: Collection[str]) -> Node | None:
    """The node that takes all blocks although that is slower, so that a second one has them: preferably on another
    host, and not one that the election waits for.
    """
    homes = {network.node(name).host for name in whole if name in {node.name for node in network.nodes}}
    near = set(whole)
    return min(
        auto,
        key=lambda node: (node.host in homes, not near & set(node.peers), node.account in network.elected, node.name),
        default=None,
    )


def _reason(count: int, auto: int, names: Sequence[str], quicker: bool, seconds: Seconds, kept: Node | None) -> str:
    about = f"about {seconds.snapshot:.0f} s against {seconds.sync:.0f} s"
    if not names:
        why = f"a snapshot would save too little: {about}" if auto else "nodeos.snapshot"
        return f"{_nodes(count)} take{'s' if count == 1 else ''} the blocks of peers ({why})"
    why = f"quicker: {about}" if quicker and auto else "nodeos.snapshot"
    text = f"{len(names)} of {_nodes(count)} begin{'s' if count == 1 else ''} with a snapshot ({why})"
    return f"{text}; {kept.name} takes all blocks, so that two nodes have them" if kept else text


def _nodes(count: int) -> str:
    return f"{count} node{'s' if count != 1 else ''}"
