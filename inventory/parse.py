"""From a TOML document to the Inventory: strict types, no unknown keys, every mistake with its path."""

from __future__ import annotations

import copy
import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin

import cattrs
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn

from inventory.errors import Problem
from inventory.model import Inventory

_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    dict: "a table",
    list: "a list",
}


MISSING = "is missing"
"""The message for a required key that is absent."""


class _KindError(TypeError):
    """A value of another type than its key's."""


_WORDS = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
"""A path's keys and indices."""


def structure(document: dict[str, Any]) -> tuple[Inventory | None, list[Problem]]:
    """The inventory in a parsed TOML document, and everything that is wrong with its structure.

    So that the rest can be checked too, values of a wrong type and unknown keys are treated as absent, and required
    missing strings as empty. None if too much is missing for that.
    """
    problems = list(_control_characters(document, ""))
    try:
        return _CONVERTER.structure(document, Inventory), problems
    except (cattrs.BaseValidationError, _KindError) as error:
        found = list(_walk(error, ""))
    rest = copy.deepcopy(document)
    for problem in found:
        if problem.message == MISSING:
            _stand_in(rest, problem.path)
        else:
            _leave_out(rest, problem.path)
    try:
        return _CONVERTER.structure(rest, Inventory), [*problems, *found]
    except (cattrs.BaseValidationError, _KindError):
        return None, [*problems, *found]


def _stand_in(document: dict[str, Any], path: str) -> None:
    """Puts an empty string in place of a missing required key: all are strings, except for the table [network]."""
    outer, _, key = path.rpartition(".")
    here: Any = document
    for word, index in _WORDS.findall(outer):
        here = here[word] if word else here[int(index)]
    here[key] = {"name": ""} if path == "network" else ""


def _leave_out(document: dict[str, Any], path: str) -> None:
    """Removes the key at a path, or the list that contains the item there; does nothing where the key is missing."""
    table, key = document, ""
    here: Any = document
    for word, index in _WORDS.findall(path):
        if isinstance(here, dict) and word:
            table, key, here = here, word, here.get(word)
        elif isinstance(here, list) and index and int(index) < len(here):
            here = here[int(index)]
        else:
            return
    table.pop(key, None)


def join(path: str, key: str) -> str:
    """The path of a key in the table at a path."""
    return f"{path}.{key}" if path else key


def _control_characters(value: Any, path: str) -> Iterator[Problem]:
    """Strings end up in config.ini, in systemd units and on terminals: none may contain a line break or an escape."""
    if isinstance(value, dict):
        for key, item in value.items():
            if _has_control(key):
                yield Problem(path, f"the key {key!r} contains a control character", "remove it")
            yield from _control_characters(item, join(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _control_characters(item, f"{path}[{index}]")
    elif isinstance(value, str) and _has_control(value):
        yield Problem(path, f"{value!r} contains a control character", "remove it")


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in text)


def _walk(error: BaseException, path: str) -> Iterator[Problem]:
    """Flattens cattrs' tree of errors into problems with their paths."""
    if isinstance(error, ClassValidationError):
        placed, rest = error.group_exceptions()
        for inner, note in placed:
            yield from _walk(inner, join(path, note.name))
        for other in rest:
            yield from _walk(other, path)
    elif isinstance(error, IterableValidationError):
        listed, rest = error.group_exceptions()
        for inner, position in listed:
            place = f"{path}[{position.index}]" if isinstance(position.index, int) else join(path, str(position.index))
            yield from _walk(inner, place)
        for other in rest:
            yield from _walk(other, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        yield from _unknown_keys(error, path)
    elif isinstance(error, KeyError):
        yield Problem(path, MISSING, "it has no default")
    else:
        yield Problem(path, str(error))


def _unknown_keys(error: ForbiddenExtraKeysError, path: str) -> Iterator[Problem]:
    known = [field.name for field in fields(error.cl)] if is_dataclass(error.cl) else []
    for key in sorted(error.extra_fields):
        near = difflib.get_close_matches(key, known, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
        yield Problem(join(path, key), "there is no such key", hint)


def _require(value: Any, kind: type) -> Any:
    exact = type(value) is kind or (kind is float and type(value) is int)
    if not exact:
        given = _KINDS.get(type(value), f"a {type(value).__name__}")
        raise _KindError(f"expected {_KINDS[kind]}, not {given}")
    return value


def _primitive(kind: type) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        return kind(_require(value, kind))

    return hook


def _origin(kind: Any) -> Any:
    return get_origin(kind)  # Any: mypy infers a ParamSpec, which is not a tuple


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for kind in (str, bool, int, float):
        converter.register_structure_hook(kind, _primitive(kind))
    # Registered hooks take precedence over cattrs' own. These check the TOML type, then call cattrs' own.
    converter.register_structure_hook_factory(lambda kind: _origin(kind) is tuple, _tuple_hook(converter))
    converter.register_structure_hook_factory(lambda kind: _origin(kind) is dict, _dict_hook(converter))
    converter.register_structure_hook_factory(is_dataclass, _table_hook(converter))
    return converter


def _table_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[Any, Any], Any]]:
    def factory(kind: Any) -> Callable[[Any, Any], Any]:
        build = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
        return lambda value, _: build(_require(value, dict), kind)

    return factory


def _dict_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[Any, Any], Any]]:
    def factory(kind: Any) -> Callable[[Any, Any], Any]:
        item = get_args(kind)[1]

        def hook(value: Any, _: Any) -> Any:
            checked = _require(value, dict)
            return dict(zip(checked, _each(converter, item, list(checked.items()), kind), strict=True))

        return hook

    return factory


def _tuple_hook(converter: cattrs.Converter) -> Callable[[Any], Callable[[Any, Any], Any]]:
    def factory(kind: Any) -> Callable[[Any, Any], Any]:
        items = get_args(kind)

        def hook(value: Any, _: Any) -> Any:
            checked = _require(value, list)
            if items[-1] is not Ellipsis and len(checked) != len(items):
                raise _KindError(f"expected {len(items)} items, not {len(checked)}")
            return tuple(_each(converter, items[0], list(enumerate(checked)), kind))

        return hook

    return factory


def _each(converter: cattrs.Converter, item: Any, pairs: list[tuple[Any, Any]], kind: Any) -> list[Any]:
    """Structures every item, and raises one error for all that are wrong."""
    structured, wrong = [], []
    for index, value in pairs:
        try:
            structured.append(value if item is Any else converter.structure(value, item))
        except (cattrs.BaseValidationError, _KindError) as error:
            error.add_note(cattrs.errors.IterableValidationNote(f"item {index}", index, item))
            wrong.append(error)
    if wrong:
        raise IterableValidationError("items", wrong, kind)
    return structured


_CONVERTER = _converter()
