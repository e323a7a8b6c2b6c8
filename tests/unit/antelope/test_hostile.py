"""Hostile input from strangers: ABIs, JSON and genesis files that are made to exhaust the reader."""

from __future__ import annotations

import json
import time
import timeit
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antelope.abi import Abi
from antelope.errors import AbiError, BadJson, BadKey, FormatError
from antelope.genesis import DEFAULT_CONFIGURATION, DEVELOPMENT_KEY, Genesis
from antelope.keys import Signature
from antelope.strict_json import read_json
from tests.unit.antelope import bombs
from tests.unit.hostile import mutated, outcome


def bounded(work: Callable[[], Any], seconds: float = 5.0, memory: int = 300 << 20) -> None:
    """Runs the work, and checks that it stays within this time and memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        work()
    finally:
        took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert took < seconds, f"took {took:.1f} s"
    assert most < memory, f"took {most >> 20} MiB"


def test_a_few_bytes_do_not_decode_to_billions_of_values() -> None:
    """31 structs that double each other decode no data into an error, in little time and memory."""
    packed = Abi(bombs.doubling()).packed()
    assert len(packed) < 554
    abi = Abi.from_packed(packed)
    with pytest.raises(AbiError, match="more values than may be read"):
        bounded(lambda: abi.unpack_action("go", b""))


@pytest.mark.parametrize(
    ("abi", "data"),
    [
        (bombs.empty_arrays(), b"\xff\xff\x03" + (b"\xff\xff\x01" * 21_845)),
        (bombs.extensions(4000), b"\xa0\x1f" + bytes(1)),
        (bombs.extensions(4000), b"\xff\xff\x03" + bytes(65_535)),
    ],
)
def test_values_without_bytes_are_counted(abi: dict[str, Any], data: bytes) -> None:
    """Empty structs in arrays, long chains of bases and absent extensions all count against the budget."""
    with pytest.raises(AbiError):
        bounded(lambda: Abi(abi).unpack_action("go", data), 20)


def test_an_honest_action_is_within_the_budget() -> None:
    """A transaction's worth of numbers is decoded."""
    abi = Abi(bombs.suffixes("[]", 1))
    assert abi.unpack_action("go", b"\xa0\x8d\x06" + b"\x01" * 100_000)["x"] == [1] * 100_000


@pytest.mark.parametrize("make", [bombs.chained, bombs.chained_aliases])
def test_long_chains_are_read_in_linear_time(make: Callable[[int], dict[str, Any]]) -> None:
    """A chain of ten thousand structs or aliases is read in seconds, because each is visited once."""
    definition = make(10_000)
    bounded(lambda: Abi(definition), 10)


def test_bases_in_a_row_come_first_to_last() -> None:
    """The fields of the first base are the first of the data."""
    abi = Abi(bombs.chained(5))
    data = {f"f{n}": n for n in range(5)}
    assert abi.unpack_action("go", bytes(range(5))) == data
    assert abi.pack_action("go", data) == bytes(range(5))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"structs": [bombs._struct("a", base="b"), bombs._struct("b", base="a")]}, "its own base"),
        ({"structs": [bombs._struct("a", base="a")]}, "its own base"),
        ({"structs": [bombs._struct("a", base="zz")]}, "unknown base"),
        ({"types": [{"new_type_name": x, "type": y} for x, y in ("ab", "bc", "ca")]}, "alias of itself"),
        ({"structs": [bombs._struct("x" * 300)]}, "more than 256 characters"),
    ],
)
def test_circles_and_endless_names_are_refused(change: dict[str, Any], why: str) -> None:
    """A type that refers to itself, or has a huge name, is refused."""
    with pytest.raises(AbiError, match=why):
        Abi({"version": "eosio::abi/1.0", **change})


@pytest.mark.parametrize("suffix", ["[]", "?", "$"])
def test_suffixes_without_end_are_an_unknown_type(suffix: str) -> None:
    """Thousands of suffixes on one type are refused, without a RecursionError."""
    for count in (40, 100_000):
        if suffix == "$" and count == 40:
            continue
        with pytest.raises(AbiError, match="unknown type"):
            Abi(bombs.suffixes(suffix, count))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        "[" * 33 + "]" * 33,
        "1" + "0" * 400,
        "-1" + "0" * 5000,
        "1e400",
        "-1e999",
        "1." + "0" * 1000,
        "NaN",
        "[Infinity]",
        "[-Infinity]",
        '"\\ud800"',
        '{"\\udc00": 1}',
        '"\ud800"',
        "",
        "{",
        "nul",
        "[1] 2",
    ],
)
def test_json_beyond_bounds_is_one_error(text: str) -> None:
    """Too deep nesting, bad numbers, halves of characters and non-JSON are BadJson with a short line."""
    with pytest.raises(BadJson) as caught:
        read_json(text)
    assert len(str(caught.value)) < 200


def test_json_has_a_size() -> None:
    """One byte more than allowed is refused before it is read; bytes that are not UTF-8 are, too."""
    assert read_json(b"[1, 2]", size=6) == [1, 2]
    for data in (b"[1,  2]", b'"\xff"'):
        with pytest.raises(BadJson):
            read_json(data, size=6)


def test_ordinary_json_is_read() -> None:
    """Within the bounds, values are those of Python's own reader. A byte order mark is ignored."""
    text = '{"a": [1, -2.5, "é😀 \\ud83d\\ude00", true, null, 340282366920938463463374607431768211455]}'
    assert read_json(text) == json.loads(text)
    assert read_json(b"\xef\xbb\xbf" + text.encode()) == json.loads(text)


def test_a_blocks_hex_costs_little_more_than_pythons_own_reader() -> None:
    """An allocation's blocks are 80 MB of hex: a check must not take longer than the reading."""
    text = json.dumps({"packed_trx": bytes(range(256)).hex() * 4000})
    ours = min(timeit.repeat(lambda: read_json(text), number=1, repeat=5))
    assert ours < 2 * min(timeit.repeat(lambda: json.loads(text), number=1, repeat=5))


def test_a_key_of_a_megabyte_is_refused() -> None:
    """A text longer than any WebAuthn signature is refused, because base58 takes quadratic time."""
    with pytest.raises(BadKey, match="4096 at most"):
        Signature(bytes(1 << 20), 2)


GENESIS = {
    "initial_timestamp": "2020-01-01T00:00:00.000",
    "initial_key": DEVELOPMENT_KEY,
    "initial_configuration": dict(DEFAULT_CONFIGURATION),
}


@settings(max_examples=400)
@given(mutated(GENESIS))
def test_a_genesis_of_any_shape_is_read_or_refused(text: str) -> None:
    """Whatever a genesis.json holds, it is a genesis with a chain id, or a FormatError."""
    chain_id = outcome(lambda: Genesis.from_json(text).chain_id(), FormatError)
    assert chain_id is None or len(chain_id) == 64


ABI = bombs.chained(3) | {
    "types": [{"new_type_name": "mine", "type": "s0[]"}],
    "variants": [{"name": "either", "types": ["uint8", "mine"]}],
    "tables": [{"name": "t", "type": "s1", "index_type": "i64", "key_names": [], "key_types": []}],
    "error_messages": [{"error_code": 1, "error_msg": "x"}],
    "abi_extensions": [{"type": 1, "data": "00"}],
}


@settings(max_examples=400)
@given(mutated(ABI), st.binary(max_size=40))
def test_an_abi_of_any_shape_is_read_or_refused(text: str, data: bytes) -> None:
    """Whatever an ABI holds, it decodes or is refused with an AbiError."""
    abi = outcome(lambda: Abi.parse(text), AbiError)
    if abi is None:
        return
    for name in abi.actions:
        outcome(partial(abi.unpack_action, name, data), AbiError)


@settings(max_examples=300)
@given(st.binary(max_size=300), st.integers(0, 200), st.binary(max_size=4))
def test_a_packed_abi_of_any_bytes_is_read_or_refused(noise: bytes, at: int, change: bytes) -> None:
    """Noise, and a true ABI with some bytes exchanged."""
    true = Abi(ABI).packed()
    for packed in (noise, true[:at] + change + true[at + len(change) :], true[:at]):
        outcome(partial(Abi.from_packed, packed), FormatError)
