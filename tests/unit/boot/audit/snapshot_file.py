"""A snapshot as nodeos writes it, of a chain that a test made up."""

from __future__ import annotations

import struct

from antelope.asset import Asset
from antelope.authority import Authority
from antelope.codec import pack_varuint32
from antelope.names import name_to_int, pack_name
from boot.audit.state import MAGIC
from tests.unit.boot.audit.fake_chain import NEVER, FakeChain, Json

END = b"\xff" * 8
PLACE = struct.Struct("<QQQQI")


def section(name: str, rows: list[bytes]) -> bytes:
    """A section with these rows."""
    content = struct.pack("<Q", len(rows)) + name.encode() + b"\0" + b"".join(rows)
    return struct.pack("<Q", len(content)) + content


def packed(authority: Json) -> bytes:
    """An authority as the chain keeps it; one that nobody can satisfy as well."""
    if not authority["keys"] and not authority["accounts"]:
        return b"\1\0\0\0" + bytes(3)
    return Authority.from_json(authority).pack()


def permission(account: str, entry: Json) -> bytes:
    """A row of permission_object."""
    names = (name_to_int(entry["parent"]), name_to_int(account), name_to_int(entry["perm_name"]))
    return struct.pack("<QQQqq", *names, 1, 2) + packed(entry["required_auth"])


def metadata(name: str, account: Json) -> bytes:
    """A row of account_metadata_object."""
    updated = 0 if account["last_code_update"] == NEVER else 1_795_376_209_500_000
    return struct.pack("<QQQQQ32sqIBB", name_to_int(name), 1, 2, 3, 4, bytes(32), updated, account["privileged"], 0, 0)


def table(code: str, scope: str, name: str, rows: list[tuple[int, bytes]], indexes: bytes = bytes(5)) -> bytes:
    """A table with its rows, by primary key."""
    place = PLACE.pack(*(name_to_int(one) for one in (code, scope, name, code)), len(rows))
    body = b"".join(struct.pack("<QQ", key, 0) + pack_varuint32(len(value)) + value for key, value in rows)
    return place + pack_varuint32(len(rows)) + body + indexes


def asset(text: str) -> bytes:
    """An amount as a table keeps it."""
    return Asset.parse(text).pack()


def tables(chain: FakeChain) -> list[bytes]:
    """Resources, own stake, balances, voters; and one with a secondary index, which nobody asks for."""
    made = []
    for name in sorted(chain.accounts, key=name_to_int):
        account = chain.accounts[name]
        if resources := account["total_resources"]:
            value = asset(resources["net_weight"]) + asset(resources["cpu_weight"])
            row = pack_name(name) + value + struct.pack("<q", resources["ram_bytes"])
            made.append(table("eosio", name, "userres", [(name_to_int(name), row)]))
        if own := account["self_delegated_bandwidth"]:
            row = pack_name(name) * 2 + asset(own["net_weight"]) + asset(own["cpu_weight"])
            made.append(table("eosio", name, "delband", [(1, b""), (name_to_int(name), row)]))
        if name in chain.balances:
            held = chain.balances[name]
            row = asset(f"{held // 10_000}.{held % 10_000:04} SYS")
            made.append(table("eosio.token", name, "accounts", [(1, row)]))
    voters = [(name_to_int(row["owner"]), voter(row)) for row in chain.tables["eosio", "eosio", "voters"]]
    index = b"\1" + bytes(16 + 8) + bytes(4)
    return [table("eosio", "eosio", "voters", voters), table("other", "other", "rows", [(1, b"x")], index), *made]


def voter(row: Json) -> bytes:
    """A row of eosio.system's voters."""
    chosen = b"".join(map(pack_name, row["producers"]))
    front = pack_name(row["owner"]) + pack_name(row["proxy"]) + pack_varuint32(len(row["producers"])) + chosen
    return front + bytes(24) + bytes((row["is_proxy"],)) + bytes(24)


def limits(name: str, account: Json) -> bytes:
    """A row of resource_limits_object."""
    amounts = (int(account[field]) for field in ("net_weight", "cpu_weight", "ram_quota"))
    return struct.pack("<Qqqq", name_to_int(name), *amounts)


def snapshot(chain: FakeChain) -> bytes:
    """The whole file."""
    accounts = chain.accounts.items()
    parts = {
        "eosio::chain::chain_snapshot_header": [b"\6\0\0\0"],
        "eosio::chain::account_object": [pack_name(name) + bytes(4) + b"\3abi" for name, _ in accounts],
        "eosio::chain::account_metadata_object": [metadata(name, one) for name, one in accounts],
        "contract_tables": tables(chain),
        "eosio::chain::permission_object": [
            permission(name, entry) for name, one in accounts for entry in one["permissions"]
        ],
        "eosio::chain::resource_limits::resource_limits_object": [limits(name, one) for name, one in accounts],
    }
    return MAGIC + b"".join(section(name, rows) for name, rows in parts.items()) + END
