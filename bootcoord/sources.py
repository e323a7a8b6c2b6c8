"""Where an inventory comes from: a file, its text, or the tables as a dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from inventory import syntax
from inventory.errors import InventoryError, Problem
from inventory.toml_text import BadToml, read_toml
from support.files import write_atomic

Source = str | Path | Mapping[str, Any]
"""A path; the text of an inventory (a string with a line break); or its tables by name."""


def file_of(source: Source, state: Path) -> tuple[Path, bool]:
    """The inventory's file, and whether it was written here: text and tables are written to `NAME.toml` in the state
    folder, where `coord` finds them. Raises InventoryError.
    """
    if isinstance(source, Path) or (isinstance(source, str) and "\n" not in source):
        return Path(source), False
    text = source if isinstance(source, str) else toml(source)
    path = state / f"{_name(text)}.toml"
    state.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_atomic(path, text.encode())
    return path, True


def toml(tables: Mapping[str, Any]) -> str:
    """The tables as TOML. Raises TypeError for a value that TOML cannot express."""
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in tables.items())


def with_node(text: str, node: Mapping[str, Any]) -> str:
    """An inventory's text with one more node."""
    tables = read_toml(text.encode())
    return toml({**tables, "nodes": [*tables.get("nodes", []), dict(node)]})


def _name(text: str) -> str:
    try:
        name = read_toml(text.encode()).get("network", {}).get("name", "")
    except BadToml as error:
        raise InventoryError("inventory", [Problem("", str(error))]) from error
    wrong = syntax.network_name(name) if isinstance(name, str) else "is not a string"
    if wrong:
        raise InventoryError("inventory", [Problem("network.name", wrong)])
    return str(name)


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(_value, value)) + "]"
    raise TypeError(f"an inventory cannot have {value!r}")
