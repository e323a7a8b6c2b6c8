"""Authorities in get_account's form: the expected ones, and a text for the actual ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def by_key(key: str) -> Json:
    """One key suffices."""
    return {"threshold": 1, "keys": [{"key": key, "weight": 1}], "accounts": [], "waits": []}


def by_accounts(names: Iterable[str], threshold: int) -> Json:
    """The authority that needs this many of the accounts' active permissions."""
    levels = [{"permission": {"actor": name, "permission": "active"}, "weight": 1} for name in sorted(names)]
    return {"threshold": threshold, "keys": [], "accounts": levels, "waits": []}


def differing(account: Json, planned: Mapping[str, Json]) -> list[str]:
    """How an account's permissions differ from the planned ones, by name; further permissions are differences too."""
    seen = {str(entry["perm_name"]): entry for entry in account["permissions"]}
    found = []
    for name, authority in planned.items():
        if name not in seen:
            found.append(f"{name} is missing")
        elif _sorted(seen[name]["required_auth"]) != _sorted(authority):
            found.append(f"{name} is {spoken(seen[name]['required_auth'])}, planned {spoken(authority)}")
    return found + [f"has a further permission {name}" for name in seen if name not in planned]


def spoken(authority: Json) -> str:
    """An authority in a few words: what satisfies it."""
    parts = [f"{entry['key']}{_weight(entry)}" for entry in authority["keys"]]
    for entry in authority["accounts"]:
        level = entry["permission"]
        parts.append(f"{level['actor']}@{level['permission']}{_weight(entry)}")
    parts += [f"wait {entry['wait_sec']} s{_weight(entry)}" for entry in authority["waits"]]
    if len(parts) > 5:
        parts = [*parts[:4], f"{len(parts) - 4} more"]
    if len(parts) == 1 and authority["threshold"] == 1:
        return parts[0]
    return f"{authority['threshold']} of [{', '.join(parts)}]"


def _weight(entry: Json) -> str:
    return "" if entry["weight"] == 1 else f" (weight {entry['weight']})"


def _sorted(authority: Json) -> Json:
    """The authority in a fixed order, because its own order has no meaning."""
    return {
        "threshold": int(authority["threshold"]),
        "keys": sorted((str(entry["key"]), int(entry["weight"])) for entry in authority["keys"]),
        "accounts": sorted(
            (str(entry["permission"]["actor"]), str(entry["permission"]["permission"]), int(entry["weight"]))
            for entry in authority["accounts"]
        ),
        "waits": sorted((int(entry["wait_sec"]), int(entry["weight"])) for entry in authority["waits"]),
    }
