"""The chain as the operator's own nodes report it, as far as parties depend on it. Parties' nodes are not asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from antelope.errors import AntelopeError, NodeError
from antelope.keys import PublicKey
from boot.reads import Asking, Json, account, ask, permission, row, rows, run_reads
from boot.step import Query
from coordinator.engine.access import NodeAccess
from coordinator.parties.progress import AccountState, ChainView
from coordinator.state.folder import StateFolder
from inventory.network import Role
from inventory.sealed import Sealed


async def look(access: NodeAccess, state: StateFolder, sealed: Sealed | None) -> ChainView:
    """The chain now. Nothing is read before the allocation is applied, because parties wait for it."""
    steps = state.steps()

    def done(step: str) -> bool:
        return step in steps and steps[step].done

    if sealed is None or not done("accounts"):
        return ChainView()
    try:
        return await run_reads(_chain(sealed, done("resign")), asker(access))
    except NodeError:
        return ChainView()


def asker(access: NodeAccess) -> Callable[[Query], Awaitable[Any]]:
    """Asks a node that follows the head. The retired genesis node shows only irreversible state. Raises Unreachable."""
    following = (node for node in access.network.nodes if node.role is not Role.GENESIS and access.running(node))
    node = next(following, None) or access.reader

    async def ask_it(query: Query) -> Any:
        return await access.ask(replace(query, node=node.name))

    return ask_it


def _chain(sealed: Sealed, settled: bool) -> Asking[ChainView]:
    info = yield from ask("/v1/chain/get_info")
    registered = {}
    for entry in (yield from rows("eosio", "eosio", "producers")):
        if entry["is_active"]:
            registered[str(entry["owner"])] = _key(str(entry["producer_key"]))
    schedule = yield from ask("/v1/chain/get_producer_schedule")
    voters = [vote.voter for vote in sealed.votes if vote.producers]
    voted = (yield from row("eosio", "eosio", "voters", voters[0])) if voters else None
    return ChainView(
        follows=True,
        head=int(info["head_block_num"]),
        signer=str(info["head_block_producer"]),
        settled=settled,
        registered=registered,
        schedule=frozenset(str(entry["producer_name"]) for entry in schedule["active"]["producers"]),
        voted=frozenset(str(name) for name in voted["producers"]) if voted else frozenset(),
        sponsor="" if sealed.sponsor else "this network has no sponsor: create the account yourself, with your own key",
    )


async def find_account(access: NodeAccess, name: str, key: str) -> AccountState:
    """What the chain has under that name. key: the key that the account should have."""
    try:
        found = await run_reads(account(name), asker(access))
    except NodeError:
        return AccountState.UNKNOWN
    if found is None:
        return AccountState.ABSENT
    try:
        return AccountState.THERE if _held(found, PublicKey.parse(key)) else AccountState.FOREIGN
    except (AntelopeError, KeyError, TypeError, ValueError):
        return AccountState.FOREIGN


def _key(text: str) -> str:
    """In the form EOS…; a key of another curve as it is."""
    try:
        return str(PublicKey.parse(text))
    except AntelopeError:
        return text


def _held(found: Json, key: PublicKey) -> bool:
    """Whether the key alone can act as the account's active permission."""
    needed = permission(found, "active")
    weight = sum(int(one["weight"]) for one in needed["keys"] if _key(str(one["key"])) == str(key))
    return weight >= int(needed["threshold"])
