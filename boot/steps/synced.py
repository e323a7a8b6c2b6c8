"""Before the vote that hands the chain over: every elected producer's own node follows it and is connected."""

from __future__ import annotations

from typing import Any

from antelope.errors import NodeError
from boot.blueprint import Blueprint, NodeRef
from boot.reads import Asking, Json, ask, elected_sign, few
from boot.step import Query, Reads, Verdict, WaitStep

BLOCKS_BEHIND = 4
"""How far a node may be behind: two seconds."""


def evidence(blueprint: Blueprint) -> Reads:
    """Each node answers, is on this chain, at its head, and has a link over which a handshake came; or the elected
    producers have taken over, which is impossible if their nodes are out of sync.
    """
    if (yield from elected_sign()):
        return Verdict((), "the elected producers sign the blocks")
    head = int((yield from ask("/v1/chain/get_info"))["head_block_num"])
    nodes = {node.account: node for node in blueprint.nodes}
    missing, said = [], []
    for producer in blueprint.sealed.elected:
        node = nodes.get(producer)
        fault = "no node signs for it" if node is None else (yield from _fault(blueprint, node, head))
        if fault:
            missing.append(node.name if node else producer)
            said.append(f"{missing[-1]}: {fault}")
    return Verdict(tuple(missing), few(said) or f"in sync: {few(blueprint.sealed.elected)}")


def _fault(blueprint: Blueprint, node: NodeRef, head: int) -> Asking[str]:
    """What is wrong with the node; empty if nothing is. A party's node may answer anything."""
    try:
        return (yield from _looked_at(blueprint, node, head))
    except (AttributeError, KeyError, TypeError, ValueError):
        return "gives answers that cannot be read"


def _looked_at(blueprint: Blueprint, node: NodeRef, head: int) -> Asking[str]:
    info = yield Query("/v1/chain/get_info", node=node.name)
    if isinstance(info, NodeError):
        return f"does not answer ({info})"
    if info["chain_id"] != blueprint.sealed.chain_id:
        return f"is on another chain, {str(info['chain_id'])[:16]}…"
    behind = head - int(info["head_block_num"])
    if behind > BLOCKS_BEHIND:
        return f"is {behind} blocks behind"
    links = yield Query("/v1/net/connections", node=node.name)
    if isinstance(links, NodeError):
        return f"does not tell its connections ({links})"
    linked = any(_linked(link, blueprint.sealed.chain_id) for link in links)
    return "" if linked else "has no connection to another node"


def _linked(link: Json, chain_id: str) -> bool:
    handshake: Any = link.get("last_handshake") or {}
    return bool(handshake.get("chain_id") == chain_id)


def deadline(blueprint: Blueprint) -> float:
    """Seconds; a node takes about 15 for the blocks of 160,000 accounts, far more where many nodes share a machine."""
    return 120 + blueprint.sealed.accounts / 100


STEP = WaitStep(
    "synced", "wait until the producers' nodes follow", ("producer-nodes", "register", "proxies"), evidence, deadline
)
