"""Packs and unpacks values by the types of one ABI; every error names the path of the value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from antelope.abi_types import BUILT_IN
from antelope.codec import Reader, pack_varuint32
from antelope.errors import AbiError, FormatError, brief

Fields = tuple[tuple[str, str], ...]
_SUFFIXES = ("[]", "?", "$")
_MAX_DEPTH = 32


def fields_of(layout: str) -> Fields:
    """(name, type) of each field of a layout written as "name:type name:type"."""
    return tuple((name, type_) for name, _, type_ in (field.partition(":") for field in layout.split()))


@dataclass(frozen=True)
class Types:
    """The types that an ABI defines, by name. The ABI's author may be a stranger: all work here is in proportion to the
    ABI's size, and unpacked values count against the reader's limit.
    """

    aliases: Mapping[str, str]
    structs: Mapping[str, Fields]
    """A struct's fields, those of its bases first."""
    variants: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, str] = field(default_factory=dict)
    """The base of each struct that has one."""

    def is_known(self, type_: str) -> bool:
        """Whether a type, with its suffixes, can be packed."""
        for _ in range(_MAX_DEPTH):
            suffix = next((one for one in _SUFFIXES if type_.endswith(one)), "")
            if not suffix:
                return type_ in BUILT_IN or type_ in self.aliases or type_ in self.structs or type_ in self.variants
            type_ = type_.removesuffix(suffix)
        return False

    def line(self, struct: str) -> tuple[str, ...]:
        """A struct and its bases, the outermost base first."""
        found = [struct]
        while base := self.bases.get(found[-1]):
            found.append(base)
        return tuple(reversed(found))

    def pack(self, type_: str, value: Any, path: str, depth: int = 0) -> bytes:
        """The bytes of a JSON value. Raises AbiError."""
        if depth > _MAX_DEPTH:
            raise AbiError(f"{path}: nested deeper than {_MAX_DEPTH}")
        type_ = type_.rstrip("$")
        if type_.endswith("?"):
            return b"\x00" if value is None else b"\x01" + self.pack(type_[:-1], value, path, depth + 1)
        if type_.endswith("[]"):
            if not isinstance(value, list | tuple):
                raise AbiError(f"{path}: expected an array, not {brief(value)}")
            parts = [self.pack(type_[:-2], one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
            return pack_varuint32(len(parts)) + b"".join(parts)
        if type_ in self.aliases:
            return self.pack(self.aliases[type_], value, path, depth + 1)
        if type_ in self.structs:
            return self._pack_struct(type_, value, path, depth)
        if type_ in self.variants:
            return self._pack_variant(type_, value, path, depth)
        try:
            return BUILT_IN[type_][0](value)
        except KeyError as error:
            raise AbiError(f"{path}: unknown type {type_!r}") from error
        except FormatError as error:
            raise AbiError(f"{path}: {error}") from error

    def _pack_struct(self, type_: str, value: Any, path: str, depth: int) -> bytes:
        fields = tuple(_each(self.line(type_), self.structs))
        values = _field_values(type_, fields, value, path)
        parts = []
        for index, (name, field_type) in enumerate(fields):
            if name in values:
                parts.append(self.pack(field_type, values[name], f"{path}.{name}", depth + 1))
            elif not field_type.endswith("$"):
                raise AbiError(f"{path}.{name}: missing; its type is {field_type}")
            else:
                later = [other for other, _ in fields[index:] if other in values]
                if later:
                    raise AbiError(f"{path}.{name}: missing, but the later field {later[0]} is given")
                break
        return b"".join(parts)

    def _pack_variant(self, type_: str, value: Any, path: str, depth: int) -> bytes:
        choices = self.variants[type_]
        if not isinstance(value, list | tuple) or len(value) != 2 or value[0] not in choices:
            raise AbiError(f"{path}: a variant is [type, value], its type one of {', '.join(choices)}")
        return pack_varuint32(choices.index(value[0])) + self.pack(value[0], value[1], f"{path}[1]", depth + 1)

    def unpack(self, type_: str, reader: Reader, path: str, depth: int = 0) -> Any:
        """The JSON value that the next bytes encode. Raises AbiError."""
        if depth > _MAX_DEPTH:
            raise _PathError(f"{path}: nested deeper than {_MAX_DEPTH}")
        reader.spend()
        type_ = type_.rstrip("$")
        if type_ in self.aliases:
            return self.unpack(self.aliases[type_], reader, path, depth + 1)
        if type_ in self.structs:
            return self._unpack_struct(type_, reader, path, depth)
        try:
            if type_.endswith("?"):
                return self.unpack(type_[:-1], reader, path, depth + 1) if reader.unsigned(1) else None
            if type_.endswith("[]"):
                count = reader.count()
                return [self.unpack(type_[:-2], reader, f"{path}[{i}]", depth + 1) for i in range(count)]
            if type_ in self.variants:
                return self._unpack_variant(type_, reader, path, depth)
            return BUILT_IN[type_][1](reader)
        except KeyError as error:
            raise AbiError(f"{path}: unknown type {type_!r}") from error
        except _PathError:
            raise
        except FormatError as error:
            raise _PathError(f"{path}: {error}") from error

    def _unpack_struct(self, type_: str, reader: Reader, path: str, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        line = self.line(type_)
        reader.spend(len(line) - 1)
        for name, field_type in _each(line, self.structs):
            if field_type.endswith("$") and not reader.remaining:
                break
            values[name] = self.unpack(field_type, reader, f"{path}.{name}", depth + 1)
        return values

    def _unpack_variant(self, type_: str, reader: Reader, path: str, depth: int) -> list[Any]:
        choices, index = self.variants[type_], reader.varuint32()
        if index >= len(choices):
            raise AbiError(f"variant index {index} of {len(choices)} types")
        return [choices[index], self.unpack(choices[index], reader, f"{path}[1]", depth + 1)]


def _each(line: tuple[str, ...], structs: Mapping[str, Fields]) -> Iterator[tuple[str, str]]:
    """The fields of a struct and its bases, one after the other."""
    for one in line:
        yield from structs[one]


class _PathError(AbiError):
    """An error that already names the path, which must not be added again."""


def _field_values(type_: str, fields: Fields, value: Any, path: str) -> Mapping[str, Any]:
    """A struct's values by field name, from an object or from an array in the order of the fields."""
    if isinstance(value, Mapping):
        known = {name for name, _ in fields}
        unknown = [str(name) for name in value if name not in known]
        if unknown:
            raise AbiError(f"{path}.{unknown[0]}: {type_} has no such field")
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) > len(fields):
            raise AbiError(f"{path}: {len(value)} values for the {len(fields)} fields of {type_}")
        return {name: one for (name, _), one in zip(fields, value, strict=False)}
    raise AbiError(f"{path}: expected an object with the fields of {type_}, not {brief(value)}")
