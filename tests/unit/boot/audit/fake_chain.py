"""A chain as nodeos' HTTP API shows it (in the form of a real one), exactly as planned; tests then change it."""

from __future__ import annotations

import asyncio
import base64
import copy
from typing import Any

from antelope.errors import NodeError, UnknownAccount, UnknownBlock, UnknownTable
from antelope.names import int_to_name, name_to_int, pack_name
from antelope.reads import ChainReader
from antelope.transaction import Action, PermissionLevel
from boot.blueprint import Blueprint
from tests.unit.boot.audit.history import history
from tests.unit.boot.audit.planned import ABI_PACKED, ELECTED, ROWS, SYSTEM, key, sha

Json = dict[str, Any]
NEVER = "1970-01-01T00:00:00.000"
PAGE = 3
"""Rows a page, whatever is asked for: so every answer takes several."""


def money(amount: int, code: str = "SYS") -> str:
    """As nodeos writes an asset of four decimals."""
    return f"{amount // 10_000}.{amount % 10_000:04} {code}"


def authority(keys: tuple[str, ...] = (), accounts: tuple[str, ...] = (), threshold: int = 1) -> Json:
    """As get_account writes it."""
    levels = [{"permission": {"actor": name, "permission": "active"}, "weight": 1} for name in accounts]
    return {
        "threshold": threshold,
        "keys": [{"key": text, "weight": 1} for text in keys],
        "accounts": levels,
        "waits": [],
    }


def permission(name: str, parent: str, required: Json) -> Json:
    """One of get_account's permissions."""
    return {"perm_name": name, "parent": parent, "required_auth": required, "linked_actions": []}


def account(name: str, owner: Json, active: Json) -> Json:
    """get_account of an account without any resources row, as from before the system contract."""
    return {
        "account_name": name,
        "privileged": False,
        "last_code_update": NEVER,
        "ram_quota": -1,
        "net_weight": -1,
        "cpu_weight": -1,
        "permissions": [permission("active", "owner", active), permission("owner", "", owner)],
        "total_resources": None,
        "self_delegated_bandwidth": None,
        "voter_info": None,
    }


def user(name: str, owner: str, active: str, stake: int, liquid: int, ram: int = 6_837) -> Json:
    """get_account of one with stake for NET and for CPU each, liquid tokens, and RAM bytes."""
    made = account(name, authority((owner,)), authority((active,)))
    weights = {"net_weight": money(stake), "cpu_weight": money(stake)}
    return made | {
        "ram_quota": ram + 1400,
        "net_weight": stake,
        "cpu_weight": str(stake) if stake > 0xFFFFFFFF else stake,
        "core_liquid_balance": money(liquid),
        "total_resources": {"owner": name, **weights, "ram_bytes": ram},
        "self_delegated_bandwidth": {"from": name, "to": name, **weights},
    }


def block_signing(public: str) -> list[Any]:
    """A block signing authority of one key."""
    return [0, {"threshold": 1, "keys": [{"key": public, "weight": 1}]}]


def newaccount(name: str) -> Action:
    """The front of the action's data is all that matters here."""
    return Action("eosio", "newaccount", (PermissionLevel("eosio"),), pack_name("eosio") + pack_name(name) + bytes(8))


def setcode(name: str, wasm: bytes) -> Action:
    """The action with a wasm of less than 128 bytes."""
    data = pack_name(name) + bytes((0, 0, len(wasm))) + wasm
    return Action("eosio", "setcode", (PermissionLevel(name),), data)


class FakeChain(ChainReader):
    """Answers `call` from its public parts, which a test may change beforehand."""

    def __init__(self, blueprint: Blueprint) -> None:
        sealed = blueprint.sealed
        self.info: Json = {"chain_id": sealed.chain_id, "head_block_num": 9, "head_block_id": "00000009" + 56 * "a"}
        self.info["head_block_time"] = "2026-11-23T00:00:00.000"
        self.features = [_feature(feature.digest, feature.name) for feature in sealed.features]
        self.parameters: Json = {**sealed.genesis["initial_configuration"], "max_action_return_value_size": 256}
        self.contracts = {contract.account: (contract.wasm, ABI_PACKED) for contract in sealed.contracts}
        self.accounts = _accounts()
        self.balances = _balances(sealed.issue)
        self.resources = {row.account for row in ROWS}
        self.tables = _tables(blueprint)
        self.tokens = ["SYS"]
        producers = [{"producer_name": name, "authority": block_signing(key(f"{name} signs"))} for name in ELECTED]
        self.schedule: Json = {"active": {"version": 1, "producers": producers}, "pending": None, "proposed": None}
        self.blocks = history(blueprint)
        self.scheduled: list[Json] = []
        self.in_flight = self.most_in_flight = 0
        self.broken: dict[str, NodeError | Any] = {}
        """By call: the error that it raises, or the answer that it gives instead."""

    async def call(self, path: str, body: object) -> Any:
        """nodeos' answer."""
        name = path.removeprefix("/v1/chain/")
        if name in self.broken:
            if isinstance(self.broken[name], Exception):
                raise self.broken[name]
            return self.broken[name]
        assert isinstance(body, dict)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            return await getattr(self, f"answer_{name}")(body)
        finally:
            self.in_flight -= 1

    async def answer_get_info(self, _: Any) -> Any:
        """The chain's id and head."""
        return self.info

    async def answer_get_account(self, body: Any) -> Any:
        """With the token balance that the token's table has."""
        name = body["account_name"]
        if name not in self.accounts:
            raise UnknownAccount(400, 3060002, "account_query_exception", f"unknown {name}")
        made = copy.deepcopy(self.accounts[name])
        if name in self.balances:
            made["core_liquid_balance"] = money(self.balances[name])
        return made

    async def answer_get_raw_abi(self, body: Any) -> Any:
        """As real nodeos, without base64's padding."""
        name = body["account_name"]
        if name not in self.accounts:
            raise UnknownAccount(400, 3060002, "account_query_exception", f"unknown {name}")
        code, abi = self.contracts[name]
        return {"code_hash": code, "abi_hash": sha(abi), "abi": base64.b64encode(abi).decode().rstrip("=")}

    async def answer_get_producer_schedule(self, _: Any) -> Any:
        """Active, pending, proposed."""
        return self.schedule

    async def answer_get_consensus_parameters(self, _: Any) -> Any:
        """The chain's limits."""
        return {"chain_config": self.parameters, "wasm_config": {}}

    async def answer_get_raw_block(self, body: Any) -> Any:
        """A block with its packed transactions."""
        number = int(body["block_num_or_id"])
        if number not in self.blocks:
            raise UnknownBlock(400, 3100002, "unknown_block_exception", f"Could not find block: {number}")
        return {"transactions": self.blocks[number]}

    async def answer_get_activated_protocol_features(self, body: Any) -> Any:
        """A feature a page."""
        at = int(body.get("lower_bound", 0))
        more = {"more": at + 1} if at + 1 < len(self.features) else {}
        return {"activated_protocol_features": self.features[at : at + 1], **more}

    async def answer_get_scheduled_transactions(self, body: Any) -> Any:
        """One a page."""
        at = int(body.get("lower_bound") or 0)
        more = str(at + 1) if at + 1 < len(self.scheduled) else ""
        return {"transactions": self.scheduled[at : at + 1], "more": more}

    async def answer_get_table_by_scope(self, body: Any) -> Any:
        """Scopes in the order of their names, paged."""
        scopes: dict[tuple[str, str], list[str]] = {
            ("eosio", "userres"): list(self.resources),
            ("eosio.token", "accounts"): list(self.balances),
            ("eosio.token", "stat"): [int_to_name(int.from_bytes(code.encode(), "little")) for code in self.tokens],
        }
        code, table = body["code"], body["table"]
        scopes |= {(of, name): [scope] for of, scope, name in self.tables if of == "eosio.msig"}
        ordered = sorted(scopes.get((code, table), []), key=name_to_int)
        left = [scope for scope in ordered if name_to_int(scope) >= int(body["lower_bound"])]
        rows = [{"code": code, "scope": scope, "table": table, "count": 1} for scope in left[:PAGE]]
        return {"rows": rows, "more": left[PAGE] if len(left) > PAGE else ""}

    async def answer_get_table_rows(self, body: Any) -> Any:
        """Rows of a table, paged, with payers where asked for."""
        place = (body["code"], body["scope"], body["table"])
        if place not in self.tables:
            raise UnknownTable(500, 3060003, "contract_table_query_exception", f"Table {place[2]} is not in the ABI")
        rows, at = self.tables[place], int(body.get("lower_bound") or 0)
        if "upper_bound" in body:  # a single row, by its primary key
            assert body["upper_bound"] == body["lower_bound"]
            return {"rows": [row for row in rows if name_to_int(row["owner"]) == at], "more": False}
        more = at + PAGE < len(rows)
        assert body.get("show_payer", False) is (place[1] == "eosio.prods")
        return {"rows": rows[at : at + PAGE], "more": more, "next_key": str(at + PAGE) if more else ""}


def _feature(digest: str, name: str) -> Json:
    specification = [{"name": "builtin_feature_codename", "value": name}]
    return {"feature_digest": digest, "specification": specification}


def _accounts() -> dict[str, Json]:
    nobody, eosio, prods = authority(), authority(accounts=("eosio",)), authority(accounts=("eosio.prods",))
    made = {f"eosio.{name}": account(f"eosio.{name}", eosio, eosio) for name in SYSTEM}
    made["eosio"] = account("eosio", prods, prods) | {"privileged": True}
    made["eosio.null"] = account("eosio.null", nobody, nobody)
    made["eosio.prods"] = account("eosio.prods", nobody, authority(accounts=ELECTED, threshold=3))
    made["eosio.prods"]["permissions"] += [
        permission("prod.major", "active", authority(accounts=ELECTED, threshold=3)),
        permission("prod.minor", "prod.major", authority(accounts=ELECTED, threshold=2)),
    ]
    made["eosio.msig"]["privileged"] = True
    for name in ("eosio", "eosio.token", "eosio.msig"):
        made[name]["last_code_update"] = "2026-11-22T19:36:49.500"
    for row in ROWS:
        made[row.account] = user(row.account, str(row.key), str(row.key), row.net, row.liquid)
    return made


def _balances(issue: int) -> dict[str, int]:
    held = {row.account: row.liquid for row in ROWS}
    held["eosio.stake"] = sum(row.net + row.cpu for row in ROWS)
    held["eosio.ram"] = sum(row.ram for row in ROWS) - 40
    held["eosio.ramfee"] = 40
    held["eosio.prods"] = 0
    return held | {"eosio": issue - sum(held.values())}


def _voter(name: str, producers: tuple[str, ...] = (), proxy: str = "", is_proxy: int = 0) -> Json:
    return {"owner": name, "proxy": proxy, "producers": list(producers), "is_proxy": is_proxy}


def _tables(blueprint: Blueprint) -> dict[tuple[str, str, str], list[Json]]:
    sealed = blueprint.sealed
    registered = [
        {
            "owner": producer.account,
            "producer_key": producer.signing_key,
            "is_active": 1,
            "url": producer.url,
            "location": producer.location,
            "producer_authority": ["block_signing_authority_v0", block_signing(producer.signing_key)[1]],
        }
        for producer in sealed.producers
    ]
    voters = [_voter(row.account) for row in ROWS if row.account not in {vote.voter for vote in sealed.votes}]
    voters += [_voter("proda", ELECTED), _voter("useraaaaaaaa", ELECTED, is_proxy=1)]
    voters += [_voter("useraaaaaaab", proxy="useraaaaaaaa")]
    stat = {"supply": money(sealed.issue), "max_supply": money(sealed.max_supply), "issuer": "eosio"}
    return {
        ("eosio", "eosio", "producers"): registered,
        ("eosio", "eosio", "voters"): voters,
        ("eosio.token", "SYS", "stat"): [stat],
        ("eosio.token", "eosio.prods", "accounts"): [{"data": {"balance": "0.0000 SYS"}, "payer": "eosio.prods"}],
    }
