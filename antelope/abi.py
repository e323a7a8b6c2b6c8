"""A contract's ABI: read from JSON or from setabi's packed form, used to pack and unpack values, and packed itself.

Format: libraries/chain/include/eosio/chain/abi_def.hpp of AntelopeIO/leap; versions eosio::abi/1.0 to 1.2.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from antelope.abi_codec import Types, fields_of
from antelope.abi_types import BUILT_IN
from antelope.codec import Reader
from antelope.errors import AbiError, BadJson, brief
from antelope.strict_json import read_json

MOST_BYTES = 1 << 20
"""Maximum size of an ABI: setabi's limit, the size of a transaction, is half of it."""
LONGEST_NAME = 256
"""Characters of the name of a type or a field."""

_DEFINITION = Types(
    aliases={},
    variants={},
    structs={
        name: fields_of(layout)
        for name, layout in {
            "abi_def": "version:string types:type_def[] structs:struct_def[] actions:action_def[] tables:table_def[]"
            " ricardian_clauses:clause_pair[] error_messages:error_message[] abi_extensions:extension[]"
            " variants:variant_def[]$ action_results:action_result_def[]$",
            "type_def": "new_type_name:string type:string",
            "struct_def": "name:string base:string fields:field_def[]",
            "field_def": "name:string type:string",
            "action_def": "name:name type:string ricardian_contract:string",
            "table_def": "name:name index_type:string key_names:string[] key_types:string[] type:string",
            "clause_pair": "id:string body:string",
            "error_message": "error_code:uint64 error_msg:string",
            "extension": "type:uint16 data:bytes",
            "variant_def": "name:string types:string[]",
            "action_result_def": "name:name result_type:string",
        }.items()
    },
)


class Abi:
    """A validated ABI: all of its types exist, and none is defined twice or in terms of itself.

    Its author may be a stranger. Reading it takes time and memory in proportion to its size, and the values that are
    unpacked with it are limited (`antelope.codec.VALUES`).
    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """definition: the JSON of an ABI file. Raises AbiError."""
        self._definition: dict[str, Any] = _complete("abi_def", definition, "abi")
        self._packed = _DEFINITION.pack("abi_def", self._definition, "abi")
        version = self._definition["version"]
        if not version.startswith("eosio::abi/1."):
            raise AbiError(f"abi.version: {brief(version)} is not eosio::abi/1.x")
        self._types = _types_of(self._definition)
        self._actions = {str(one["name"]): str(one["type"]) for one in self._definition["actions"]}
        self._tables = {str(one["name"]): str(one["type"]) for one in self._definition["tables"]}
        self._check()

    @classmethod
    def parse(cls, source: bytes | str | Mapping[str, Any]) -> Abi:
        """An ABI from the JSON of an .abi file, as bytes, text or decoded. Raises AbiError."""
        if not isinstance(source, Mapping):
            try:
                source = read_json(source, size=4 * MOST_BYTES)
            except BadJson as error:
                raise AbiError(f"the ABI is not JSON: {error}") from error
        if not isinstance(source, Mapping):
            raise AbiError("the ABI is not a JSON object")
        return cls(source)

    @classmethod
    def from_packed(cls, data: bytes) -> Abi:
        """An ABI from its packed form, as in setabi and in get_raw_abi's answer. Raises AbiError."""
        if len(data) > MOST_BYTES:
            raise AbiError(f"an ABI of {len(data)} bytes: {MOST_BYTES} at most")
        reader = Reader(data)
        definition = _DEFINITION.unpack("abi_def", reader, "abi")
        reader.finish()
        return cls(definition)

    def packed(self) -> bytes:
        """The packed form, as in setabi; get_raw_abi's abi_hash is its sha256."""
        return self._packed

    def to_json(self) -> dict[str, Any]:
        """The whole definition, in the form of an ABI file."""
        return copy.deepcopy(self._definition)

    @property
    def actions(self) -> Mapping[str, str]:
        """The type of each action."""
        return self._actions

    @property
    def tables(self) -> Mapping[str, str]:
        """The row type of each table."""
        return self._tables

    def pack(self, type_name: str, value: Any) -> bytes:
        """The bytes of a JSON value. Raises AbiError with the path of the part that does not fit."""
        return self._types.pack(type_name, value, type_name)

    def unpack(self, type_name: str, data: bytes) -> Any:
        """The JSON value of bytes, as nodeos shows it. Raises AbiError."""
        reader = Reader(data)
        value = self._types.unpack(type_name, reader, type_name)
        reader.finish()
        return value

    def pack_action(self, action_name: str, data: Any) -> bytes:
        """The data of an action, from an object or an array. Raises AbiError."""
        return self.pack(self._action_type(action_name), data)

    def unpack_action(self, action_name: str, data: bytes) -> dict[str, Any]:
        """The data of an action as JSON. Raises AbiError."""
        value: dict[str, Any] = self.unpack(self._action_type(action_name), data)
        return value

    def _action_type(self, action_name: str) -> str:
        if action_name not in self._actions:
            some = ", ".join(list(self._actions)[:20]) or "none"
            raise AbiError(f"the ABI has no action {brief(action_name)}; it has {some}")
        return self._actions[action_name]

    def _check(self) -> None:
        for where, type_ in self._used():
            if not self._types.is_known(type_):
                raise AbiError(f"{where}: unknown type {brief(type_)}")
        _no_circle(self._types.aliases, "type {} is an alias of itself")
        _no_circle(self._types.bases, "struct {} is its own base")

    def _used(self) -> Iterator[tuple[str, str]]:
        """Every type that the ABI refers to, and where."""
        types = self._types
        yield from ((f"alias {name}", target) for name, target in types.aliases.items())
        for name, fields in types.structs.items():
            yield from ((f"struct {name}.{field}", type_) for field, type_ in fields)
        for name, choices in types.variants.items():
            yield from ((f"variant {name}", type_) for type_ in choices)
        yield from ((f"action {name}", type_) for name, type_ in self._actions.items())
        yield from ((f"table {name}", type_) for name, type_ in self._tables.items())


def _complete(type_: str, value: Any, path: str) -> dict[str, Any]:
    """The value with the definition's fields only, absent ones empty. Types are checked when it is packed."""
    if not isinstance(value, Mapping):
        raise AbiError(f"{path}: expected an object")
    complete: dict[str, Any] = {}
    for name, full_type in _DEFINITION.structs[type_]:
        field_type = full_type.removesuffix("$")
        given = value.get(name)
        if not field_type.endswith("[]"):
            complete[name] = "" if given is None else given
            continue
        if not isinstance(given, list | None):
            raise AbiError(f"{path}.{name}: expected an array")
        element = field_type.removesuffix("[]")
        if element in _DEFINITION.structs:
            complete[name] = [_complete(element, one, f"{path}.{name}[{i}]") for i, one in enumerate(given or ())]
        else:
            complete[name] = list(given or ())
    return complete


def _types_of(definition: Mapping[str, Any]) -> Types:
    aliases = {one["new_type_name"]: one["type"] for one in definition["types"]}
    structs = {
        one["name"]: tuple((field["name"], field["type"]) for field in one["fields"]) for one in definition["structs"]
    }
    bases = {one["name"]: one["base"] for one in definition["structs"] if one["base"]}
    variants = {one["name"]: tuple(one["types"]) for one in definition["variants"]}
    names = [one["new_type_name"] for one in definition["types"]]
    names += [one["name"] for one in (*definition["structs"], *definition["variants"])]
    seen = set(BUILT_IN)
    for name in names:
        if name in seen:
            raise AbiError(f"type {brief(name)} is defined twice")
        seen.add(name)
    for name, base in bases.items():
        if base not in structs:
            raise AbiError(f"struct {brief(name)}: unknown base {brief(base)}")
    for name in (*names, *(name for fields in structs.values() for name, _ in fields)):
        if len(name) > LONGEST_NAME:
            raise AbiError(f"the name {brief(name)} has more than {LONGEST_NAME} characters")
    return Types(aliases, structs, variants, bases)


def _no_circle(leads: Mapping[str, str], wrong: str) -> None:
    """Raises AbiError if the references form a cycle. Visits each name once."""
    ended: set[str] = set()
    for start in leads:
        on_the_way: dict[str, None] = {}
        name = start
        while name in leads and name not in ended:
            if name in on_the_way:
                raise AbiError(wrong.format(brief(name)))
            on_the_way[name] = None
            name = leads[name]
        ended.update(on_the_way)
