"""Checks that contracts offer the actions that a boot pushes, with the same fields, and fit into a transaction."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from antelope.abi import Abi
from antelope.abi_codec import fields_of
from antelope.layouts import LAYOUTS, MSIG, SYSTEM, TOKEN
from antelope.transaction import COMPRESS_FROM, LARGEST

PUSHED: Mapping[str, tuple[str, ...]] = {
    SYSTEM: (
        "init",
        "newaccount",
        "buyram",
        "delegatebw",
        "regproducer",
        "regproxy",
        "voteproducer",
        "setpriv",
        "updateauth",
    ),
    TOKEN: ("create", "issue", "open", "transfer"),
    MSIG: ("propose", "approve", "exec"),
}
"""By account: the actions that the boot pushes after the account's contract is set."""
READ: Mapping[str, tuple[str, ...]] = {
    SYSTEM: ("global", "producers", "rammarket", "userres", "voters"),
    TOKEN: ("accounts", "stat"),
    MSIG: ("approvals2", "proposal"),
}
"""By account: the tables that the steps' evidence reads. Seen: eosio.msig of 1.2.1 has no approvals2."""
_OVERHEAD = 256
"""Bytes of a transaction besides code and ABI: header, authorisations, signature."""
_SAME = {"int8": "uint8"}
"""Types that pack the values that the boot sends in the same way."""


def lacking(account: str, abi: Abi) -> Iterator[str]:
    """Why the boot cannot use a contract, in words."""
    document = abi.to_json()
    for action in PUSHED.get(account, ()):
        if action not in abi.actions:
            yield f"has no action {action}, which the boot pushes"
            continue
        sent = [kind for _, kind in fields_of(LAYOUTS[account][action])]
        taken = _types(abi.actions[action], document)
        if _required(sent) != _required(taken):
            yield f"its {action} takes ({', '.join(taken)}), and the boot sends ({', '.join(sent)})"
    for table in READ.get(account, ()):
        if table not in abi.tables:
            yield f"has no table {table}, in which the boot looks for what was done"


def too_large(wasm: bytes, abi: Abi, configuration: Mapping[str, int]) -> str:
    """Why code and ABI cannot be set in one transaction, and what to do; empty if they can."""
    size = len(wasm) + len(abi.packed()) + _OVERHEAD
    if size > LARGEST:
        return f"code and ABI have {size} bytes together, and nodeos takes {LARGEST}: make them smaller"
    billed = size if size < COMPRESS_FROM else len(zlib.compress(wasm + abi.packed())) + _OVERHEAD
    limit = configuration["max_transaction_net_usage"]
    if billed <= limit:
        return ""
    return (
        f"code and ABI take {billed} bytes of a transaction, and genesis.configuration.max_transaction_net_usage is "
        f"{limit}: raise it"
    )


def _types(name: str, document: Mapping[str, Any]) -> list[str]:
    """The types of a struct's fields, those of its base first, with aliases followed."""
    aliases = {entry["new_type_name"]: str(entry["type"]) for entry in document["types"]}
    structs = {entry["name"]: entry for entry in document["structs"]}

    def named(kind: str) -> str:
        plain = kind.removesuffix("$").removesuffix("?").removesuffix("[]")
        return kind.replace(plain, aliases[plain], 1) if plain in aliases else kind

    found: list[str] = []
    while name:
        struct = structs[aliases.get(name, name)]
        found = [named(str(field["type"])) for field in struct["fields"]] + found
        name = struct["base"]
    return found


def _required(types: list[str]) -> list[str]:
    """Without binary extensions, which may be left out."""
    return [_SAME.get(kind, kind) for kind in types if not kind.endswith("$")]
