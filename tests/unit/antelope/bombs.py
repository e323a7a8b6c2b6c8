"""A stranger's ABIs: small, valid, and ruinous for a program that decodes them without a budget."""

from __future__ import annotations

import itertools
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDE"


def _abi(structs: list[dict[str, Any]], action: str, **parts: Any) -> dict[str, Any]:
    made = {"version": "eosio::abi/1.0", "structs": structs}
    return made | {"actions": [{"name": "go", "type": action, "ricardian_contract": ""}]} | parts


def _struct(name: str, *fields: tuple[str, str], base: str = "") -> dict[str, Any]:
    return {"name": name, "base": base, "fields": [{"name": one, "type": type_} for one, type_ in fields]}


def doubling() -> dict[str, Any]:
    """31 structs, each with two fields of the next one; the last is empty. No bytes decode to 2^31 values."""
    pairs = itertools.pairwise(LETTERS)
    return _abi([*(_struct(one, ("", then), ("", then)) for one, then in pairs), _struct(LETTERS[-1])], LETTERS[0])


def empty_arrays() -> dict[str, Any]:
    """An array of arrays of a struct without fields: each byte announces more of them than there are bytes."""
    return _abi([_struct("nil"), _struct("go", ("x", "nil[][]"))], "go")


def chained(count: int) -> dict[str, Any]:
    """Structs that are each the base of the next, with a field each."""
    structs = [_struct(f"s{n}", (f"f{n}", "uint8"), base=f"s{n - 1}" if n else "") for n in range(count)]
    return _abi(structs, f"s{count - 1}")


def chained_aliases(count: int) -> dict[str, Any]:
    """A chain of aliases."""
    types = [{"new_type_name": f"a{n}", "type": f"a{n + 1}" if n + 1 < count else "uint8"} for n in range(count)]
    return _abi([], "a0", types=types)


def extensions(count: int) -> dict[str, Any]:
    """An array of structs, each with bases in a row and extensions that take no bytes."""
    structs = [_struct(f"s{n}", (f"f{n}", "uint8$"), base=f"s{n - 1}" if n else "") for n in range(count)]
    return _abi([*structs, _struct("go", ("x", f"s{count - 1}[]"))], "go")


def suffixes(suffix: str, count: int) -> dict[str, Any]:
    """A type with thousands of suffixes."""
    return _abi([_struct("go", ("x", "uint8" + suffix * count))], "go")


def long_names() -> dict[str, Any]:
    """An array of structs whose one field, of a byte, has a name of 250 characters."""
    return _abi([_struct("one", ("n" * 250, "uint8")), _struct("go", ("x", "one[]"))], "go")
