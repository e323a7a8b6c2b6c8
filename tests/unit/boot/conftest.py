"""A small sealed network, and a chain that answers from a table of answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from antelope.errors import UnknownAccount, UnknownTable
from antelope.keys import PrivateKey, PublicKey
from antelope.names import name_to_int
from boot.blueprint import Blueprint, NodeRef
from boot.step import Query, Reads, Verdict
from inventory.rows import AllocationRow, pack_allocation
from inventory.sealed import (
    FORMAT,
    Sealed,
    SealedContract,
    SealedFeature,
    SealedProducer,
    SealedVote,
)

KEY = str(PrivateKey(bytes(31) + b"\x01").public)
ABI = json.dumps({"version": "eosio::abi/1.1", "types": [], "structs": [], "actions": [], "tables": []}).encode()


@dataclass
class FakeChain:
    """Answers queries from rows, accounts and whole answers; anything else fails the test."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=dict)
    """By code, scope and table; the first value of a row is its key."""
    answers: dict[tuple[str | None, str], Any] = field(default_factory=dict)
    """By node and path."""
    asked: list[Query] = field(default_factory=list)

    def __call__(self, query: Query) -> Any:
        """nodeos' JSON, or the NodeError it would answer."""
        self.asked.append(query)
        if (query.node, query.path) in self.answers:
            return self.answers[query.node, query.path]
        if query.path == "/v1/chain/get_account":
            absent = UnknownAccount(400, 3060002, "account_query_exception", "unknown key")
            return self.accounts.get(query.body["account_name"], absent)
        if query.path == "/v1/chain/get_table_rows":
            return self._rows(query.body)
        raise AssertionError(f"unexpected query {query}")

    def _rows(self, body: Mapping[str, Any]) -> Any:
        found = self.tables.get((body["code"], body["scope"], body["table"]))
        if found is None:
            return UnknownTable(500, 3060003, "contract_table_query_exception", "not specified in the ABI")
        wanted = body["lower_bound"]
        rows = [row for row in found if not wanted or wanted == str(name_to_int(str(next(iter(row.values())))))]
        return {"rows": rows, "more": False, "next_key": ""}

    def verdict(self, reads: Reads) -> Verdict:
        """Drives evidence to its end."""
        try:
            query = next(reads)
            while True:
                query = reads.send(self(query))
        except StopIteration as stop:
            verdict: Verdict = stop.value
            return verdict


def authority(actor: str = "", key: str = KEY) -> dict[str, Any]:
    """get_account's form of an authority: actor@active, or a key when there is no actor."""
    level = {"permission": {"actor": actor, "permission": "active"}, "weight": 1}
    keys = [] if actor else [{"key": key, "weight": 1}]
    return {"threshold": 1, "keys": keys, "accounts": [level] if actor else [], "waits": []}


def account(actor: str = "", **more: Any) -> dict[str, Any]:
    """get_account's answer for an account that is delegated to actor@active, or has a key."""
    permissions = [{"perm_name": name, "required_auth": authority(actor)} for name in ("active", "owner")]
    return {"permissions": permissions, "privileged": False, **more}


@pytest.fixture
def chain() -> FakeChain:
    """A chain on which eosio has its key still, and nothing else is."""
    return FakeChain(accounts={"eosio": account()})


@pytest.fixture
def delegated() -> Callable[[str], dict[str, Any]]:
    """Makes get_account's answer for an account under another's active permission; of a key when that is empty."""
    return account


@pytest.fixture
def blueprint() -> Blueprint:
    """Two producers, one of them elected; a proxy; three voters, one of them the other producer."""
    artifacts: dict[str, bytes] = {}

    def keep(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        artifacts[digest] = data
        return digest

    stakes = {
        "userrich": 1_000_000_000_000,
        "usermiddle": 600_000_000_000,
        "userpoor": 10_000,
        "prodwon": 5,
        "prodlost": 7,
    }
    rows = [
        AllocationRow(name, PublicKey.parse(KEY), 1000, stake // 2, stake - stake // 2, 0)
        for name, stake in stakes.items()
    ]
    wasm = {name: keep(b"\0asm" + name.encode()) for name in ("eosio.bios", "eosio.token", "eosio.system")}
    abi = keep(ABI)
    sealed = Sealed(
        format=FORMAT,
        network="test",
        chain_id="c" * 64,
        genesis={
            "initial_timestamp": "2026-01-02T03:04:05.000",
            "initial_key": KEY,
            "initial_configuration": {"max_transaction_net_usage": 524288},
        },
        symbol="4,SYS",
        max_supply=100_000_000_000_000,
        issue=10_000_000_000_000,
        boot_contract=SealedContract("eosio", wasm["eosio.bios"], abi),
        contracts=(
            SealedContract("eosio.token", wasm["eosio.token"], abi),
            SealedContract("eosio", wasm["eosio.system"], abi),
        ),
        system_accounts=("eosio.msig", "eosio.ram"),
        features=tuple(SealedFeature(name, name[0].lower() * 64) for name in ("PREACTIVATE_FEATURE", "B", "C")),
        allocation=keep(pack_allocation(rows)),
        accounts=len(rows),
        producers=(
            SealedProducer("prodwon", KEY, KEY, "https://won.example", 1, True),
            SealedProducer("prodlost", KEY, KEY, "https://lost.example", 2, False),
        ),
        proxies=("userrich",),
        votes=(
            SealedVote("userrich", "", ("prodwon",)),
            SealedVote("usermiddle", "", ("prodwon",)),
            SealedVote("userpoor", "userrich", ()),
            SealedVote("prodlost", "", ("prodlost", "prodwon")),
        ),
    )
    nodes = (NodeRef("boot", "eosio"), NodeRef("alpha", "prodwon"), NodeRef("relay", None))
    return Blueprint(sealed, artifacts.__getitem__, nodes)
