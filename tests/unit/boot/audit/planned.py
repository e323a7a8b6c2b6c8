"""A small sealed network: four producers of five elected, three users, a proxy."""

from __future__ import annotations

import hashlib
from typing import Any

from antelope.genesis import DEFAULT_CONFIGURATION
from antelope.keys import PrivateKey, PublicKey
from boot.blueprint import Blueprint
from inventory.rows import AllocationRow, pack_allocation
from inventory.sealed import (
    FORMAT,
    Sealed,
    SealedContract,
    SealedFeature,
    SealedProducer,
    SealedVote,
)

SYSTEM = ("bpay", "msig", "names", "ram", "ramfee", "rex", "saving", "stake", "token", "vpay")
ELECTED = ("proda", "prodb", "prodc", "prodd")
ABI_JSON = b'{"version": "eosio::abi/1.1", "types": [], "structs": [], "actions": [], "tables": []}'
ABI_PACKED = b"\x0eeosio::abi/1.1" + bytes(9)
"""By hand: the version, then empty types, structs, actions, tables, clauses, errors, extensions, variants, results."""
GENESIS: dict[str, Any] = {
    "initial_timestamp": "2026-11-22T19:36:37.000",
    "initial_key": "EOS7WfgxENPfXxqtRgojMHm48dL6yRwveVFgkowRpPZDYXcbqr428",
    "initial_configuration": dict(DEFAULT_CONFIGURATION),
}
CHAIN_ID = "826b28c9cda313778610ac6d73a8db7f7905ea9b21cd29f306b3161ab316915a"
"""What a real nodeos (bundled, v4.1.0-dev) said of exactly this genesis."""


def key(name: str) -> str:
    """A public key that belongs to the name."""
    return str(PrivateKey(hashlib.sha256(name.encode()).digest()).public)


def sha(data: bytes) -> str:
    """sha256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def row(account: str, stake: int, liquid: int) -> AllocationRow:
    """A row with a key of its own, 0.1 of RAM and `stake` for each of NET and CPU."""
    return AllocationRow(account, PublicKey.parse(key(account)), 1000, stake, stake, liquid)


ROWS = (
    *(row(name, 400_000_000_000, 90_000) for name in (*ELECTED, "prode")),
    row("useraaaaaaaa", 454_500, 90_000),
    row("useraaaaaaab", 4_500, 40_000),
    row("useraaaaaaac", 454_500, 90_000),
)


def blueprint() -> Blueprint:
    """The network, its artifacts at hand."""
    allocation = pack_allocation(ROWS)
    wasms = {name: f"wasm of {name}".encode() for name in ("boot", "eosio.token", "eosio.msig", "eosio")}
    artifacts = {sha(data): data for data in (*wasms.values(), ABI_JSON, allocation)}
    contracts = {name: SealedContract(name, sha(wasm), sha(ABI_JSON)) for name, wasm in wasms.items()}
    places = enumerate((*ELECTED, "prode"))
    producers = tuple(
        SealedProducer(name, key(name), key(f"{name} signs"), f"https://{name}.example", at, name in ELECTED)
        for at, name in places
    )
    sealed = Sealed(
        format=FORMAT,
        network="test",
        chain_id=CHAIN_ID,
        genesis=GENESIS,
        symbol="4,SYS",
        max_supply=100_000_000_000_000,
        issue=10_000_000_000_000,
        boot_contract=SealedContract("eosio", contracts["boot"].wasm, contracts["boot"].abi),
        contracts=(contracts["eosio.token"], contracts["eosio.msig"], contracts["eosio"]),
        system_accounts=tuple(f"eosio.{name}" for name in SYSTEM),
        features=tuple(SealedFeature(name, sha(name.encode())) for name in ("PREACTIVATE_FEATURE", "GET_SENDER")),
        allocation=sha(allocation),
        accounts=len(ROWS),
        producers=producers,
        proxies=("useraaaaaaaa",),
        votes=(
            SealedVote("proda", "", ELECTED),
            SealedVote("useraaaaaaaa", "", ELECTED),
            SealedVote("useraaaaaaab", "useraaaaaaaa", ()),
        ),
    )
    return Blueprint(sealed, artifacts.__getitem__)
