"""How evidence reads the chain: the few questions that steps ask, and the shell that gets them answered.

Each question is a generator that yields queries and returns what a step wants to know, so that evidence composes with
`yield from`. A refusal that means "there is none yet" (no such account, no such table) becomes None or an empty list.
Every other error is raised, because a missing answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from antelope.errors import BadKey, NodeError, UnknownAccount, UnknownTable
from antelope.keys import PublicKey
from antelope.names import name_to_int
from boot.blueprint import Blueprint
from boot.step import Query, Reads, Verdict

T = TypeVar("T")
Asking = Generator[Query, Any, T]
"""A part of the evidence that returns a T."""

Json = dict[str, Any]

PAGE = 1000
"""Rows asked for at a time; nodeos stops earlier when its response budget (15 ms by default) is used up."""
NO_CODE = "0" * 64
"""What nodeos calls the hash of no code."""
EOSIO = "eosio"


async def run_reads(reads: Generator[Query, Any, T], call: Callable[[Query], Awaitable[Any]]) -> T:
    """Runs evidence to its verdict. `call` answers each query with nodeos' JSON; a NodeError is an answer, too."""
    try:
        query = next(reads)
        while True:
            query = reads.send(await _answer(query, call))
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _answer(query: Query, call: Callable[[Query], Awaitable[Any]]) -> Any:
    try:
        return await call(query)
    except NodeError as error:
        return error


def ask(path: str, body: Any = None) -> Asking[Json]:
    """The JSON object with which nodeos answers the query. Raises the NodeError if it answers with one."""
    answer = yield Query(path, body)
    if isinstance(answer, NodeError):
        raise answer
    result: Json = answer
    return result


def account(name: str) -> Asking[Json | None]:
    """get_account's answer; None if there is no such account."""
    try:
        return (yield from ask("/v1/chain/get_account", {"account_name": name}))
    except UnknownAccount:
        return None


def code_and_abi(name: str, expected_abi: str) -> Asking[tuple[str, str]]:
    """sha256 (hex) of an account's wasm and of its packed ABI; NO_CODE for no code and for no account.

    nodeos leaves the ABI itself out of its answer when its hash is the expected one.
    """
    try:
        answer = yield from ask("/v1/chain/get_raw_abi", {"account_name": name, "abi_hash": expected_abi})
    except UnknownAccount:
        return NO_CODE, NO_CODE
    return str(answer["code_hash"]), str(answer["abi_hash"])


def rows(code: str, scope: str, table: str, first: str = "", last: str = "") -> Asking[list[Json]]:
    """All rows of a table, or those between two primary keys (numbers as text); empty if the table does not exist."""
    found: list[Json] = []
    body = {"code": code, "scope": scope, "table": table, "json": True, "limit": PAGE}
    lower = first
    while True:
        try:
            page = yield from ask("/v1/chain/get_table_rows", body | {"lower_bound": lower, "upper_bound": last})
        except (UnknownAccount, UnknownTable):
            return []
        found += page["rows"]
        if not page["more"]:
            return found
        lower = str(page["next_key"])


def row(code: str, scope: str, table: str, name: str) -> Asking[Json | None]:
    """The row whose primary key is that name; None if there is none."""
    key = _bound(name)
    found = yield from rows(code, scope, table, key, key)
    return found[0] if found else None


def _bound(name: str) -> str:
    """A name as a bound, written as its number: nodeos would read an account such as 111111111111 as a number."""
    return str(name_to_int(name))


def scopes(code: str, table: str) -> Asking[set[str]]:
    """The scopes in which a table has rows."""
    found: set[str] = set()
    lower = ""
    while True:
        body = {"code": code, "table": table, "lower_bound": lower, "limit": PAGE}
        page = yield from ask("/v1/chain/get_table_by_scope", body)
        found.update(str(entry["scope"]) for entry in page["rows"])
        if not page["more"]:
            return found
        lower = _bound(str(page["more"]))


def active_features() -> Asking[set[str]]:
    """Digests (hex) of the protocol features that are active."""
    found: set[str] = set()
    lower = 0
    while True:
        body = {"lower_bound": lower, "limit": PAGE}
        page = yield from ask("/v1/chain/get_activated_protocol_features", body)
        found.update(str(entry["feature_digest"]) for entry in page["activated_protocol_features"])
        if "more" not in page:
            return found
        lower = int(page["more"])


def parameters() -> Asking[dict[str, int]]:
    """The chain's limits, by their names in genesis.json."""
    answer = yield from ask("/v1/chain/get_consensus_parameters", {})
    return {str(name): int(value) for name, value in answer["chain_config"].items()}


def permission(account_json: Json, name: str) -> Json:
    """A permission's authority out of get_account's answer; an empty one when it is missing."""
    for entry in account_json["permissions"]:
        if entry["perm_name"] == name:
            authority: Json = entry["required_auth"]
            return authority
    return {}


def delegated(account_json: Json | None, actor: str) -> bool:
    """Whether owner and active of an account are nothing but `actor@active`."""
    if account_json is None:
        return False
    sole = [{"permission": {"actor": actor, "permission": "active"}, "weight": 1}]
    wanted = {"threshold": 1, "keys": [], "accounts": sole, "waits": []}
    return all(permission(account_json, name) == wanted for name in ("owner", "active"))


def resigned() -> Asking[bool]:
    """Whether eosio has no keys of its own, so that the producers govern it."""
    return delegated((yield from account(EOSIO)), "eosio.prods")


def elected_sign() -> Asking[bool]:
    """Whether producers other than eosio run the chain: the last irreversible block was signed by one of them.

    Such a block becomes irreversible only when two thirds of the elected producers have built on it.
    """
    info = yield from ask("/v1/chain/get_info")
    number = int(info["last_irreversible_block_num"])
    if not number:
        return False
    block = yield from ask("/v1/chain/get_block_info", {"block_num": number})
    return str(block["producer"]) not in ("", EOSIO)


def governed() -> Asking[bool]:
    """Whether it is proved that the boot ended: eosio has resigned, and the elected producers sign. Whoever replaces
    contracts, keys, votes or registrations afterwards has the right to.

    The resignation alone does not prove the earlier steps, because the owner of eosio's key can sign it at any time.
    """
    return (yield from resigned()) and (yield from elected_sign())


def by_eosio(evidence: Callable[[Blueprint], Reads]) -> Callable[[Blueprint], Reads]:
    """Evidence of a step that only eosio's own key can do: what is missing after the resignation stays missing."""

    @wraps(evidence)
    def judged(blueprint: Blueprint) -> Reads:
        found = yield from evidence(blueprint)
        if found.done or not (yield from resigned()):
            return found
        why = f"eosio resigned before this was done, and nobody else can do it: {found.detail}"
        return replace(found, detail=why, impossible=True)

    return judged


def is_key(text: object, key: PublicKey) -> bool:
    """Whether the chain shows this key. A producer with several is shown with the null key, which never matches."""
    try:
        return PublicKey.parse(str(text)) == key
    except BadKey:
        return False


def verdict(missing: list[str], total: int, what: str) -> Verdict:
    """A verdict that says how many of the total are there, and which are missing."""
    if not missing:
        return Verdict((), f"{total} {what}")
    return Verdict(tuple(missing), f"{total - len(missing)} of {total} {what}; missing: {few(missing)}")


def few(names: Iterable[str], most: int = 3) -> str:
    """The names in one short line: a few of them, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
