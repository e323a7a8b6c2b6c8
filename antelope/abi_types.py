"""The built-in types of ABIs, between bytes and nodeos' JSON conventions.

nodeos writes integers beyond ±0xffffffff as strings, floating point numbers as strings with 17 decimals, bool as 0 or
1, bytes and checksums in hexadecimal; it also reads integers from strings. So does this module.
Source: libraries/chain/abi_serializer.cpp (configure_built_in_types) and libfc's json.cpp of AntelopeIO/leap.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from antelope.asset import Asset, Symbol, pack_symbol_code, unpack_symbol_code
from antelope.codec import Reader, pack_bytes, pack_string, pack_varuint32
from antelope.errors import AbiError, brief
from antelope.keys import PublicKey, Signature
from antelope.names import int_to_name, pack_name

Pack = Callable[[Any], bytes]
Unpack = Callable[[Reader], Any]

_JSON_NUMBER_LIMIT = 0xFFFFFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLOTS_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"-?\d{1,40}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z?", re.ASCII)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise AbiError(f"{brief(value)} is not a string")
    return value


def integer(value: Any) -> int:
    """An integer from JSON, where it may be a string. Raises AbiError."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise AbiError(f"{brief(value)} is not an integer")
    if isinstance(value, str):
        if _INTEGER.fullmatch(value) is None:
            raise AbiError(f"{brief(value)} is not an integer")
        return int(value)
    return value


def json_integer(value: int) -> int | str:
    """An integer as nodeos writes it in JSON."""
    return value if -_JSON_NUMBER_LIMIT <= value <= _JSON_NUMBER_LIMIT else str(value)


def _integers(bits: int, signed: bool) -> tuple[Pack, Unpack]:
    name, size = f"{'int' if signed else 'uint'}{bits}", bits // 8

    def pack(value: Any) -> bytes:
        number = integer(value)
        try:
            return number.to_bytes(size, "little", signed=signed)
        except OverflowError as error:
            raise AbiError(f"{brief(number)} does not fit {name}") from error

    def unpack(reader: Reader) -> int | str:
        number = reader.signed(size) if signed else reader.unsigned(size)
        return str(number) if bits == 128 else json_integer(number)

    return pack, unpack


def _pack_varint32(value: Any) -> bytes:
    number = integer(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise AbiError(f"{number} does not fit varint32")
    return pack_varuint32((number << 1 ^ number >> 31) & 0xFFFFFFFF)


def _unpack_varint32(reader: Reader) -> int:
    raw = reader.varuint32()
    return raw >> 1 ^ -(raw & 1)


def _floats(form: str) -> tuple[Pack, Unpack]:
    size = struct.calcsize(form)

    def pack(value: Any) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise AbiError(f"{brief(value)} is not a number")
        try:
            return struct.pack(form, float(value))
        except (ValueError, OverflowError) as error:
            raise AbiError(f"{brief(value)} is not a number that fits") from error

    def unpack(reader: Reader) -> str:
        return f"{struct.unpack(form, reader.take(size))[0]:.17f}"

    return pack, unpack


def _hex(value: Any) -> bytes:
    try:
        return bytes.fromhex(_text(value))
    except ValueError as error:
        raise AbiError(f"{brief(value)} is not hexadecimal") from error


def _fixed(size: int, prefix: str = "") -> tuple[Pack, Unpack]:
    def pack(value: Any) -> bytes:
        raw = _hex(value.removeprefix(prefix) if isinstance(value, str) else value)
        if len(raw) != size:
            raise AbiError(f"expected {size} bytes, not {len(raw)}")
        return raw

    return pack, lambda reader: prefix + reader.take(size).hex()


def _pack_bool(value: Any) -> bytes:
    if value not in (0, 1):
        raise AbiError(f"{brief(value)} is not true or false")
    return b"\x01" if value else b"\x00"


def _unpack_bool(reader: Reader) -> int:
    return reader.unsigned(1)


def _microseconds(value: Any, epoch: datetime) -> int:
    """Microseconds since the epoch, from a UTC time as nodeos writes it."""
    text = _text(value)
    if _TIME.fullmatch(text) is None:
        raise AbiError(f"{text[:60]!r} is not a time like '2020-01-31T12:00:00.000'")
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError as error:
        raise AbiError(f"{text!r} is not a time: {error}") from error
    return (moment - epoch) // timedelta(microseconds=1)


def _time_text(epoch: datetime, microseconds: int, milliseconds: bool = True) -> str:
    try:
        moment = epoch + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise AbiError(f"{microseconds} µs are beyond the year 9999") from error
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment.year:04d}{text[text.index('-') :]}" + (
        f".{moment.microsecond // 1000:03d}" if milliseconds else ""
    )


def _times(
    size: int, epoch: datetime, unit: int, signed: bool = False, milliseconds: bool = True
) -> tuple[Pack, Unpack]:
    """unit: microseconds per count."""

    def pack(value: Any) -> bytes:
        try:
            return (_microseconds(value, epoch) // unit).to_bytes(size, "little", signed=signed)
        except OverflowError as error:
            raise AbiError(f"{brief(value)} is out of range") from error

    def unpack(reader: Reader) -> str:
        count = reader.signed(size) if signed else reader.unsigned(size)
        return _time_text(epoch, count * unit, milliseconds)

    return pack, unpack


def _pack_extended_asset(value: Any) -> bytes:
    if not isinstance(value, Mapping) or set(value) != {"quantity", "contract"}:
        raise AbiError("an extended_asset has quantity and contract")
    return Asset.parse(_text(value["quantity"])).pack() + pack_name(_text(value["contract"]))


def _unpack_extended_asset(reader: Reader) -> dict[str, str]:
    return {"quantity": str(Asset.unpack(reader.take(16))), "contract": int_to_name(reader.unsigned(8))}


BUILT_IN: dict[str, tuple[Pack, Unpack]] = {
    "bool": (_pack_bool, _unpack_bool),
    **{f"int{bits}": _integers(bits, signed=True) for bits in (8, 16, 32, 64, 128)},
    **{f"uint{bits}": _integers(bits, signed=False) for bits in (8, 16, 32, 64, 128)},
    "varint32": (_pack_varint32, _unpack_varint32),
    "varuint32": (lambda value: pack_varuint32(integer(value)), Reader.varuint32),
    "float32": _floats("<f"),
    "float64": _floats("<d"),
    "float128": _fixed(16, "0x"),
    "time_point": _times(8, _EPOCH, 1, signed=True),
    "time_point_sec": _times(4, _EPOCH, 1_000_000, milliseconds=False),
    "block_timestamp_type": _times(4, _SLOTS_EPOCH, 500_000),
    "name": (lambda value: pack_name(_text(value)), lambda reader: int_to_name(reader.unsigned(8))),
    "bytes": (lambda value: pack_bytes(_hex(value)), lambda reader: reader.bytes_().hex()),
    "string": (lambda value: pack_string(_text(value)), Reader.string),
    "checksum160": _fixed(20),
    "checksum256": _fixed(32),
    "checksum512": _fixed(64),
    "public_key": (lambda value: PublicKey.parse(_text(value)).pack(), lambda reader: str(PublicKey.read(reader))),
    "signature": (lambda value: Signature.parse(_text(value)).pack(), lambda reader: str(Signature.read(reader))),
    "symbol": (lambda value: Symbol.parse(_text(value)).pack(), lambda reader: str(Symbol.unpack(reader.take(8)))),
    "symbol_code": (
        lambda value: pack_symbol_code(_text(value)),
        lambda reader: unpack_symbol_code(reader.take(8)),
    ),
    "asset": (lambda value: Asset.parse(_text(value)).pack(), lambda reader: str(Asset.unpack(reader.take(16)))),
    "extended_asset": (_pack_extended_asset, _unpack_extended_asset),
}
