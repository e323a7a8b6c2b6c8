"""The ABI packer: round trips, refusals with their paths, and hostile bytes. tests/live holds it against cleos."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.abi import Abi
from antelope.codec import Reader, pack_varuint32
from antelope.errors import AbiError, FormatError

DEFINITION: dict[str, Any] = {
    "____comment": "ignored",
    "version": "eosio::abi/1.2",
    "types": [{"new_type_name": "account", "type": "name"}, {"new_type_name": "numbers", "type": "uint16[]"}],
    "structs": [
        {"name": "base", "base": "", "fields": [{"name": "who", "type": "account"}]},
        {
            "name": "pay",
            "base": "base",
            "fields": [
                {"name": "amounts", "type": "numbers"},
                {"name": "memo", "type": "string?"},
                {"name": "how", "type": "way"},
                {"name": "extra", "type": "uint8$"},
                {"name": "more", "type": "string$"},
            ],
        },
        {"name": "tree", "base": "", "fields": [{"name": "children", "type": "tree[]"}]},
        {"name": "empty", "base": "", "fields": []},
    ],
    "actions": [{"name": "pay", "type": "pay", "ricardian_contract": "¶"}, {"name": "nop", "type": "empty"}],
    "tables": [{"name": "rows", "type": "pay", "index_type": "i64", "key_names": ["who"], "key_types": ["name"]}],
    "variants": [{"name": "way", "types": ["uint8", "string"]}],
    "error_messages": [{"error_code": str(1 << 63), "error_msg": "no"}],
    "action_results": [{"name": "pay", "result_type": "uint64"}],
}
ABI = Abi.parse(DEFINITION)
GOOD: dict[str, Any] = {"who": "alice", "amounts": [1, 2], "memo": None, "how": ["string", "x"]}


def test_known_bytes() -> None:
    """Base first, varuint32 counts, a flag before an optional, an index before a variant, extensions last."""
    packed = ABI.pack_action("pay", {**GOOD, "memo": "hé", "extra": 9})
    assert packed.hex() == "0000000000855c34" + "0201000200" + "010368c3a9" + "010178" + "09"
    assert ABI.unpack_action("pay", packed) == {**GOOD, "memo": "hé", "extra": 9}
    assert ABI.pack_action("pay", ["alice", [1, 2], None, ["string", "x"]]) == ABI.pack_action("pay", GOOD)
    assert ABI.pack_action("nop", {}) == b""


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"who": "Alice"}, "pay.who: name 'Alice'"),
        ({"amounts": [1, 65536]}, r"pay.amounts\[1\]: 65536 does not fit uint16"),
        ({"amounts": [1, -1]}, r"pay.amounts\[1\]"),
        ({"amounts": [1.0]}, r"pay.amounts\[0\]: 1.0 is not an integer"),
        ({"amounts": [True]}, r"pay.amounts\[0\]: True is not an integer"),
        ({"amounts": {}}, "pay.amounts: expected an array"),
        ({"memo": 5}, "pay.memo: 5 is not a string"),
        ({"memo": "\ud800"}, "pay.memo: the string is not valid Unicode"),
        ({"how": ["int8", 1]}, "pay.how: a variant is"),
        ({"how": ["uint8", 256]}, r"pay.how\[1\]: 256"),
        ({"unknown": 1}, "pay.unknown: pay has no such field"),
        ({"more": "x"}, "pay.extra: missing, but the later field more is given"),
    ],
)
def test_refusals_name_the_path(change: dict[str, Any], path: str) -> None:
    """A value that does not fit is refused with its path."""
    with pytest.raises(AbiError, match=path):
        ABI.pack_action("pay", {**GOOD, **change})


@pytest.mark.parametrize("field", list(GOOD))
def test_missing_fields_are_refused(field: str) -> None:
    """No field may be left out, not even an optional one. Only binary extensions may."""
    with pytest.raises(AbiError, match=f"pay.{field}: missing"):
        ABI.pack_action("pay", {name: value for name, value in GOOD.items() if name != field})


@pytest.mark.parametrize("value", [None, 5, "text", [], ["alice", [], None, ["uint8", 1], 1, "x", "too many"]])
def test_wrong_shapes_are_refused(value: Any) -> None:
    """A struct is an object, or an array of no more values than it has fields."""
    with pytest.raises(AbiError):
        ABI.pack_action("pay", value)


def test_unknown_actions_and_types_are_refused() -> None:
    """An unknown action is refused with a list of the ABI's actions, and an unknown type likewise."""
    with pytest.raises(AbiError, match="no action 'fly'; it has pay, nop"):
        ABI.pack_action("fly", {})
    with pytest.raises(AbiError, match="unknown type 'uint7'"):
        ABI.pack("uint7", 1)


def test_abis_survive_packing() -> None:
    """An ABI comes back from its packed form complete, and packs to the same bytes."""
    again = Abi.from_packed(ABI.packed())
    assert again.to_json() == ABI.to_json()
    assert again.packed() == ABI.packed()
    assert Abi.parse(json.dumps(DEFINITION)).packed() == Abi.parse(json.dumps(DEFINITION).encode()).packed()
    assert dict(again.tables) == {"rows": "pay"}
    without = ABI.packed()[: -len("\x01") - 8 - len("\x06uint64")]  # as packers from before action results end
    assert Abi.from_packed(without).to_json()["action_results"] == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "eosio::abi/2.0"}, "version"),
        ({"version": 1}, "version"),
        ({"structs": {}}, "structs: expected an array"),
        ({"structs": [5]}, r"structs\[0\]: expected an object"),
        ({"structs": [{"name": "a", "base": "b", "fields": []}]}, "unknown base"),
        ({"structs": [{"name": "a", "base": "a", "fields": []}]}, "its own base"),
        ({"structs": [{"name": "uint8", "base": "", "fields": []}]}, "defined twice"),
        ({"structs": [{"name": "a", "fields": [{"name": "x", "type": "nothing?[]"}]}]}, "struct a.x: unknown type"),
        ({"types": [{"new_type_name": "a", "type": "b"}, {"new_type_name": "b", "type": "a"}]}, "alias of itself"),
        ({"actions": [{"name": "a", "type": "b"}]}, "action a: unknown type 'b'"),
        ({"tables": [{"name": "BAD", "type": "name"}]}, r"tables\[0\].name"),
    ],
)
def test_inconsistent_abis_are_refused(change: dict[str, Any], reason: str) -> None:
    """An inconsistent ABI is refused when it is read."""
    with pytest.raises(AbiError, match=reason):
        Abi.parse({"version": "eosio::abi/1.1", **change})


@pytest.mark.parametrize("source", [b"", b"\xff", "[", "[]", "5", "[" * 100_000])
def test_what_is_not_json_is_refused(source: bytes | str) -> None:
    """Bytes and texts that are not a JSON object are AbiError."""
    with pytest.raises(AbiError):
        Abi.parse(source)


def test_endless_nesting_is_refused() -> None:
    """A value nested deeper than 32 is refused in both directions, not followed until the stack ends."""
    value: dict[str, Any] = {"children": []}
    for _ in range(40):
        value = {"children": [value]}
    with pytest.raises(AbiError, match="nested deeper"):
        ABI.pack("tree", value)
    with pytest.raises(AbiError, match=r"^tree(\.children\[0\])+[^:]*: nested deeper than 32$"):
        ABI.unpack("tree", b"\x01" * 100)


@given(st.binary(max_size=200))
def test_hostile_bytes_are_values_or_errors(data: bytes) -> None:
    """Any bytes either unpack, and then pack to something that unpacks the same, or are FormatError."""
    for type_ in ("pay", "tree", "asset", "time_point[]", "public_key?", "extended_asset", "varint32", "string"):
        try:
            value = ABI.unpack(type_, data)
        except FormatError:
            continue
        assert ABI.unpack(type_, ABI.pack(type_, value)) == value
    try:
        abi = Abi.from_packed(data)
    except FormatError:
        return
    assert Abi.from_packed(abi.packed()).to_json() == abi.to_json()


@given(st.integers(0, (1 << 32) - 1))
def test_varuint32_comes_back(value: int) -> None:
    """Every 32-bit number comes back from its variable length."""
    reader = Reader(pack_varuint32(value))
    assert reader.varuint32() == value
    reader.finish()


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff\xff\xff\xff\x1f", b"\x80\x80\x80\x80\x80\x01"])
def test_bad_varuint32(data: bytes) -> None:
    """A variable-length number that is cut or beyond 32 bits is refused."""
    with pytest.raises(AbiError):
        Reader(data).varuint32()
